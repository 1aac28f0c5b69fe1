import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGuardian, createHttpEndpoint, networkUnreachable } from '@buddy/guardian';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { serveHttp } from '../worlds/http-server.ts';
import { hurried } from '../worlds/hurried.ts';
import { openMovedEndpoint, openUnreachableWorld } from '../worlds/network-unreachable.ts';

const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describePlaybook(networkUnreachable, openUnreachableWorld);

async function makeEndpoint(...args: Parameters<typeof openMovedEndpoint>) {
  const moved = await openMovedEndpoint(...args);
  closers.push(() => moved.close());
  return moved;
}

async function heal(endpoint: ReturnType<typeof createHttpEndpoint>) {
  const guardian = createGuardian(
    { longestStableMs: 50 },
    { resources: [{ id: 'billing', adapter: endpoint }], playbooks: [hurried(networkUnreachable)] },
  );
  closers.push(() => guardian.stop());
  await guardian.start();
  const reading = await endpoint.probe(signal);
  expect(reading).toMatchObject({ signal: 'network.unreachable', certainty: 'decisive' });
  const { outcome } = await guardian.report({
    resource: 'billing',
    signal: 'network.unreachable',
    certainty: 'decisive',
  });
  return outcome;
}

describe('playbook network_unreachable', () => {
  it('delivers what could not be delivered meanwhile, each once and in order', async () => {
    const { endpoint, unreachable, delivered } = await makeEndpoint();
    unreachable.add('primary.test');
    const bodies = Array.from({ length: 20 }, (_each, index) => `invoice ${index}`);
    for (const body of bodies) {
      expect(await endpoint.deliver({ method: 'POST', body })).toBe('held');
    }
    expect(await heal(endpoint)).toBe('restored');
    expect(delivered).toEqual(bodies);
    expect(endpoint.heldRequests()).toBe(0);
    expect(await endpoint.deliver({ method: 'POST', body: 'after' })).toBe('delivered');
  });

  it('keeps what it could not deliver when there is no other path, and delivers it when the way is back', async () => {
    const outbox = { retryMs: 100 };
    const { endpoint, unreachable, delivered } = await makeEndpoint({ outbox });
    for (const name of ['primary.test', 'replica.test']) unreachable.add(name);
    await endpoint.deliver({ method: 'POST', body: 'a' });
    await endpoint.deliver({ method: 'POST', body: 'b' });
    expect(await heal(endpoint)).toBe('escalated');
    expect([endpoint.heldRequests(), endpoint.isHolding()]).toEqual([2, false]);
    unreachable.clear();
    await expect.poll(() => delivered, { interval: 20, timeout: 15_000 }).toEqual(['a', 'b']);
  });

  it('does not leave a path that is well again', async () => {
    const { endpoint, unreachable } = await makeEndpoint();
    unreachable.add('primary.test');
    expect(await endpoint.probe(signal)).toMatchObject({ signal: 'network.unreachable' });
    unreachable.clear();
    const guardian = createGuardian(
      { longestStableMs: 50 },
      { resources: [{ id: 'billing', adapter: endpoint }], playbooks: [networkUnreachable] },
    );
    closers.push(() => guardian.stop());
    await guardian.start();
    const reported = {
      resource: 'billing',
      signal: 'network.unreachable',
      certainty: 'decisive',
    } as const;
    expect(await (await guardian.report(reported)).outcome).toBe('restored');
    expect(endpoint.currentPath()).toBe('primary');
  });
});

describe('a path with an address of ours', () => {
  it.skipIf(process.platform !== 'linux')('comes from that address', async () => {
    const { url, close } = await serveHttp((request, response) => {
      response.end(request.socket.remoteAddress);
    });
    closers.push(close);
    const paths = { one: url, other: { url, localAddress: '127.0.0.2' } };
    const endpoint = createHttpEndpoint({ paths });
    closers.push(() => endpoint.close());
    expect((await endpoint.send({})).body.toString()).toBe('127.0.0.1');
    await endpoint.usePath('other', signal);
    expect((await endpoint.send({})).body.toString()).toBe('127.0.0.2');
    expect(await endpoint.probe(signal)).toMatchObject({ status: 'HEALTHY' });
  });
});

describe('requests that can wait', () => {
  it('outlive the process when they have a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-outbox-'));
    closers.push(() => rm(folder, { recursive: true }));
    const outbox = { file: join(folder, 'outbox.sqlite') };
    const first = await makeEndpoint({ outbox });
    for (const name of ['primary.test', 'replica.test']) first.unreachable.add(name);
    await first.endpoint.deliver({ method: 'POST', body: 'kept', headers: { 'x-tenant': 'ada' } });
    await first.endpoint.close();
    const { endpoint, delivered } = await makeEndpoint({ outbox });
    expect(endpoint.heldRequests()).toBe(1);
    await endpoint.releaseRequests(signal);
    expect(delivered).toEqual(['kept']);
  });

  it('step aside when they are refused for good, and do not stop those behind them', async () => {
    const { endpoint, delivered } = await makeEndpoint();
    await endpoint.deliver({ method: 'POST', body: 'poison' });
    await endpoint.deliver({ method: 'POST', body: 'good' });
    expect(delivered).toEqual(['poison', 'good']);
    expect([endpoint.heldRequests(), endpoint.refusedRequests()]).toEqual([0, 1]);
  });

  it('come each once and in order to whoever knows repeats, however often nobody takes them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<200 | 503 | 'lost'>(200, 503, 'lost'), { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        async (answers, requests) => {
          const seen = new Map<string, string>();
          const answersLeft = [...answers];
          const http = await serveHttp((request, response) => {
            let body = '';
            request.on('data', (chunk: Buffer) => (body += chunk.toString()));
            request.on('end', () => {
              const answer = answersLeft.shift() ?? 200;
              const key = String(request.headers['idempotency-key']);
              // What is taken and not confirmed comes again, by the same key.
              if (answer !== 503 && !seen.has(key)) seen.set(key, body);
              if (answer === 'lost') request.socket.destroy();
              else response.writeHead(answer).end();
            });
          });
          const endpoint = createHttpEndpoint({
            paths: { only: http.url },
            outbox: { retryMs: 1, longestRetryMs: 2 },
          });
          const bodies = Array.from({ length: requests }, (_each, index) => `request ${index}`);
          for (const body of bodies) await endpoint.deliver({ method: 'POST', body });
          await expect
            .poll(() => endpoint.heldRequests(), { interval: 1, timeout: 15_000 })
            .toBe(0);
          await endpoint.close();
          await http.close();
          expect([...seen.values()]).toEqual(bodies);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('are not taken beyond so many', async () => {
    const { endpoint, unreachable } = await makeEndpoint({ outbox: { most: 1 } });
    unreachable.add('primary.test');
    await endpoint.deliver({ body: 'a', method: 'POST' });
    await expect(endpoint.deliver({ body: 'b', method: 'POST' })).rejects.toMatchObject({
      code: 'GUARDIAN_OUTBOX_FULL',
    });
  });
});

const inNamespace = ['unshare', ['--map-root-user', '--net', '--']] as const;
const hasNamespaces =
  process.platform === 'linux' &&
  spawnSync(inNamespace[0], [...inNamespace[1], 'ip', 'link', 'set', 'lo', 'up']).status === 0;

describe('in a network namespace of its own', () => {
  const run = promisify(execFile);
  const program = new URL('../children/namespace-guardian.ts', import.meta.url).pathname;
  const faults = ['routeLost', 'linkDown'] as const;
  it.skipIf(!hasNamespaces).each(faults)(
    `heals %s for real${hasNamespaces ? '' : ' (SKIPPED: `unshare --net` or `ip` does not work here)'}`,
    async (fault) => {
      const args = [
        ...inNamespace[1],
        process.execPath,
        '--conditions=@buddy/source',
        program,
        fault,
      ];
      const { stdout } = await run(inNamespace[0], args, { timeout: 25_000 });
      const result: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      expect(result).toEqual({
        before: 'HEALTHY',
        during: 'network.unreachable',
        outcome: 'restored',
        path: 'replica',
        delivered: ['a', 'b'],
        afterRevert: 'HEALTHY',
        restoredWithinMs: expect.toSatisfy((ms: number) => ms < 5_000),
      });
    },
    30_000,
  );
});
