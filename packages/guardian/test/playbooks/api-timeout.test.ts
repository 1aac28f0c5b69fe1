import { createServer } from 'node:net';
import { apiTimeout, createGuardian, createHttpEndpoint } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openBlackHoleWorld, openRelayedEndpoint } from '../worlds/api-timeout.ts';
import { hurried } from '../worlds/hurried.ts';

const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describePlaybook(apiTimeout, openBlackHoleWorld);

async function makeEndpoint(...args: Parameters<typeof openRelayedEndpoint>) {
  const world = await openRelayedEndpoint(...args);
  closers.push(() => world.close());
  return world;
}

async function heal(endpoint: ReturnType<typeof createHttpEndpoint>) {
  const guardian = createGuardian(
    { longestStableMs: 50, confirm: { samples: 2, intervalMs: 10 } },
    { resources: [{ id: 'billing', adapter: endpoint }], playbooks: [hurried(apiTimeout, 800)] },
  );
  closers.push(() => guardian.stop());
  await guardian.start();
  const reading = await endpoint.probe(signal);
  const told = reading.status === 'FAILED' ? reading.signal : reading.status;
  const { outcome } = await guardian.report({ resource: 'billing', signal: 'api.timeout' });
  return { told, outcome: await outcome };
}

describe('playbook api_timeout', () => {
  it('leaves a path that is silent, hedges over a third, and goes back when the breaker has rested', async () => {
    const breaker = { openMs: 600 };
    const { endpoint, relayOf } = await makeEndpoint(['primary', 'second', 'third'], { breaker });
    relayOf('primary').impair({ is: 'stall' });
    expect(await heal(endpoint)).toEqual({ told: 'api.timeout', outcome: 'restored' });
    expect(endpoint.hedgeAfterMs()).toBe(120);
    expect(await endpoint.send({})).toMatchObject({ path: 'second', status: 200 });
    relayOf('primary').impair(undefined);
    await expect
      .poll(async () => (await endpoint.send({})).path, { interval: 30, timeout: 15_000 })
      .toBe('primary');
    expect(endpoint.breakerOf('primary')).toBe('closed');
  });

  it('begins with the second request that nobody answers, long before the next look', async () => {
    const { endpoint, relayOf } = await makeEndpoint(['primary', 'second']);
    const guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, confirm: { intervalMs: 10 } },
      { resources: [{ id: 'billing', adapter: endpoint }], playbooks: [apiTimeout] },
    );
    closers.push(() => guardian.stop());
    await guardian.start();
    relayOf('primary').impair({ is: 'stall' });
    await expect(endpoint.send({})).rejects.toThrow('no answer');
    expect(guardian.openIncidents).toEqual([]);
    await expect(endpoint.send({})).rejects.toThrow('no answer');
    await expect
      .poll(() => endpoint.currentPath(), { interval: 10, timeout: 15_000 })
      .toBe('second');
  });

  it('gives up without a path that answers, and lets requests through again', async () => {
    const { endpoint, relayOf } = await makeEndpoint(['primary', 'second']);
    for (const name of ['primary', 'second']) relayOf(name).impair({ is: 'stall' });
    expect((await heal(endpoint)).outcome).toBe('escalated');
    expect(endpoint.currentPath()).toBe('primary');
    expect(endpoint.breakerOf('primary')).toBe('closed');
  });

  it('does nothing about a silence that is over when it is looked at again', async () => {
    const { endpoint } = await makeEndpoint(['primary', 'second']);
    expect((await heal(endpoint)).outcome).toBe('false_positive');
    expect(endpoint.breakerOf('primary')).toBe('closed');
  });
});

describe('an HTTP endpoint', () => {
  it('closes a path by itself on which nobody answers, and fails at once from then on', async () => {
    const breaker = { failures: 2, openMs: 60_000 };
    const { endpoint, relayOf, asked } = await makeEndpoint(['primary'], { breaker });
    relayOf('primary').impair({ is: 'stall' });
    for (let times = 0; times < 2; times += 1) {
      await expect(endpoint.send({ method: 'POST' })).rejects.toMatchObject({
        code: 'GUARDIAN_ENDPOINT_UNAVAILABLE',
        effect: 'unknown',
      });
    }
    expect(endpoint.breakerOf('primary')).toBe('open');
    await expect(endpoint.send({})).rejects.toMatchObject({ effect: 'none', retryable: true });
    expect(asked).toEqual([]);
  });

  it('says that nothing happened when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const endpoint = createHttpEndpoint({ paths: { primary: `http://127.0.0.1:${port}/` } });
    closers.push(() => endpoint.close());
    await expect(endpoint.send({ method: 'POST' })).rejects.toMatchObject({ effect: 'none' });
  });

  it('sends a slow request by another path too, when it may be repeated, and never when it may not', async () => {
    const { endpoint, relayOf, asked } = await makeEndpoint(['primary', 'second'], {
      timeoutMs: 3_000,
    });
    await endpoint.hedge(30, signal);
    relayOf('primary').impair({ is: 'latency', delayMs: 400 });
    expect(await endpoint.send({})).toMatchObject({ path: 'second' });
    expect(await endpoint.send({ method: 'POST' })).toMatchObject({ path: 'primary' });
    expect(asked.filter((name) => name === 'second')).toHaveLength(1);
  });

  it('gives an old answer, and says so, when there is no other, and never one that is too old', async () => {
    const { endpoint, relayOf } = await makeEndpoint(['primary'], { stale: { forMs: 60_000 } });
    expect(await endpoint.send({ path: '/a' })).toMatchObject({ isStale: false });
    relayOf('primary').impair({ is: 'reset' });
    const old = await endpoint.send({ path: '/a' });
    expect([old.isStale, old.body.toString()]).toEqual([true, 'primary']);
    await expect(endpoint.send({ path: '/b' })).rejects.toThrow('Nobody answers');
    await expect(endpoint.send({ path: '/a', headers: { cookie: 'ada' } })).rejects.toThrow(
      'Nobody answers',
    );
  });

  it('drops the connections that it kept', async () => {
    const { endpoint, relayOf } = await makeEndpoint(['primary']);
    await endpoint.send({});
    relayOf('primary').impair({ is: 'half_open' });
    relayOf('primary').impair(undefined);
    // The kept connection is dead, and nobody told; a new one is not.
    await endpoint.resetConnections(signal);
    expect(await endpoint.send({ method: 'POST' })).toMatchObject({ status: 200 });
  });
});
