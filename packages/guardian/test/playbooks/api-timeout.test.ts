import { createServer } from 'node:net';
import {
  apiTimeout,
  createGuardian,
  createHttpEndpoint,
  type HttpEndpointInput,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { openRelay, type Relay } from '../../src/faults/network/relay.ts';
import { describePlaybook, type PlaybookWorld } from '../playbook-contract.ts';
import { hurried } from '../worlds/hurried.ts';
import { serveHttp } from '../worlds/http-server.ts';

const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** An endpoint with so many paths, each to a server of its own by a relay. */
async function makeEndpoint(names: string[], options: Partial<HttpEndpointInput> = {}) {
  const relays = new Map<string, Relay>();
  const asked: string[] = [];
  const paths: Record<string, string> = {};
  for (const name of names) {
    const { port, close } = await serveHttp((_request, response) => {
      asked.push(name);
      response.end(name);
    });
    const relay = await openRelay({ target: { host: '127.0.0.1', port } });
    relays.set(name, relay);
    paths[name] = `http://127.0.0.1:${relay.port}/`;
    closers.push(close, () => relay.close());
  }
  const baselineMs = Object.fromEntries(names.map((name) => [name, 60]));
  const endpoint = createHttpEndpoint({ paths, timeoutMs: 300, baselineMs, ...options });
  closers.push(() => endpoint.close());
  const relayOf = (name: string): Relay => {
    const relay = relays.get(name);
    if (!relay) throw new Error(`no relay ${name}`);
    return relay;
  };
  return { endpoint, relayOf, asked };
}

async function blackHoleWorld(): Promise<PlaybookWorld> {
  const { endpoint, relayOf } = await makeEndpoint(['primary', 'replica']);
  const answers = () =>
    fetch(endpoint.currentUrl(), { signal: AbortSignal.timeout(250) }).then(
      ({ ok }) => ok,
      () => false,
    );
  return {
    resources: [{ id: 'billing', adapter: endpoint }],
    subject: 'billing',
    fault: {
      name: 'the primary accepts and never answers',
      apply: async () => {
        await endpoint.usePath('primary', signal);
        await endpoint.closeBreaker('primary', signal);
        relayOf('primary').impair({ is: 'stall' });
      },
      isPresent: async () => !(await answers()),
      revert: async () => relayOf('primary').impair(undefined),
    },
    symptom: async () => ({ signal: 'api.timeout' }),
    state: async () => ({
      path: endpoint.currentPath(),
      primary: endpoint.breakerOf('primary'),
      hedge: endpoint.hedgeAfterMs() ?? null,
    }),
    close: async () => undefined,
  };
}

describePlaybook(apiTimeout, blackHoleWorld);

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
      .poll(async () => (await endpoint.send({})).path, { interval: 30, timeout: 3_000 })
      .toBe('primary');
    expect(endpoint.breakerOf('primary')).toBe('closed');
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
