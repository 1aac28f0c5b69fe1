import { setTimeout as sleep } from 'node:timers/promises';
import {
  builtinPlaybooks,
  createGuardian,
  createQuota,
  MemoryStore,
  type Quota,
  quotaExhausted,
} from '@buddy/guardian';
import { ManualClock } from '@buddy/core';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook, startWorld } from '../fake-service.ts';
import { describePlaybook } from '../playbook-contract.ts';
import { openProvider, openQuotaWorld } from '../worlds/quota-exhausted.ts';

const MINUTE = 60_000;
const { signal } = new AbortController();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describePlaybook(quotaExhausted, openQuotaWorld);

async function makeProvider(...args: Parameters<typeof openProvider>) {
  const provider = await openProvider(...args);
  closers.push(() => provider.close());
  return provider;
}

async function guard(quota: Quota) {
  const guardian = createGuardian(
    { longestStableMs: 50 },
    { resources: [{ id: 'llm', adapter: quota }], playbooks: builtinPlaybooks },
  );
  closers.push(() => guardian.stop());
  await guardian.start();
  return guardian;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 10_000) throw new Error('it never was so');
    await sleep(10);
  }
}

describe('playbook quota_exhausted', () => {
  it('notices the first 429 by itself, and nobody calls until the reset', async () => {
    const { quota, call, usedUpUntil, calls } = await makeProvider(['model']);
    const guardian = await guard(quota);
    usedUpUntil.set('model', Date.now() + 900);
    expect(await call()).toMatchObject({ status: 429 });
    await until(() => guardian.stats().successfulRuns === 1);
    const made = calls();
    const refused = await call().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'GUARDIAN_QUOTA_EXHAUSTED', retryable: true });
    expect(refused).toHaveProperty(
      'retryAfterMs',
      expect.toSatisfy((ms: number) => ms > 0),
    );
    expect(calls()).toBe(made);
    await until(() => quota.waitsUntil() === undefined);
    // The reset is believed when one call was let through.
    expect(await quota.probe(signal)).toMatchObject({
      status: 'HEALTHY',
      note: expect.stringContaining('let through after the reset'),
    });
    expect(await call()).toMatchObject({ status: 200 });
  });

  it('waits twice as long each time when nobody says until when', async () => {
    const { quota, callBy, usedUpUntil } = await makeProvider(['model'], { saysWhen: false });
    usedUpUntil.set('model', Date.now() + 60_000);
    const waits: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      const before = Date.now();
      quota.note('model', (await callBy('model')).answer);
      waits.push(Math.round(((quota.exhaustedUntil('model') ?? 0) - before) / 500));
    }
    expect(waits).toEqual([1, 2, 4]);
  });

  it('goes another way that the policy allows, sheds low priority, and goes back after the reset', async () => {
    const { quota, call, usedUpUntil } = await makeProvider(['big', 'small']);
    const guardian = await guard(quota);
    usedUpUntil.set('big', Date.now() + 900);
    await call();
    await until(() => guardian.stats().successfulRuns === 1);
    expect(await call()).toEqual({ route: 'small', status: 200 });
    expect(() => quota.admit('low')).toThrow('low priority');
    await until(() => quota.exhaustedUntil('big') === undefined);
    expect(await call()).toEqual({ route: 'big', status: 200 });
    expect(quota.admit('low')).toBe('big');
  });
});

/** An agent host that needs a model, and a web server that needs the host. */
async function makeChain({
  clock = new ManualClock(),
  store = new MemoryStore(),
}: { clock?: ManualClock; store?: MemoryStore } = {}) {
  const quota = createQuota({ routes: ['model'] }, { clock });
  const [host, web] = [new FakeService(), new FakeService()];
  const world = await startWorld(
    {
      resources: [
        { id: 'llm', adapter: quota },
        { id: 'host', adapter: host, dependsOn: ['llm'] },
        { id: 'web', adapter: web, dependsOn: ['host'] },
      ],
      playbooks: [...builtinPlaybooks, restartPlaybook()],
      store,
    },
    { autonomy: { 3: 'auto' } },
    clock,
  );
  return { ...world, clock, quota, host, web };
}

describe('a quota that is used up', () => {
  it('forbids the restart of all that depends on it until the reset, however far, and is itself at rest', async () => {
    const { clock, quota, host, web, guardian, told } = await makeChain();
    quota.note('model', { is: 'exhausted', until: clock.now() + 30 * MINUTE });
    await clock.advance(5_000);
    expect(told).toContain('llm closed restored');
    expect(quota.waitsUntil()).toBe(clock.now() - 5_000 + 30 * MINUTE);
    web.crash();
    await clock.advance(1_000);
    host.crash();
    await clock.advance(25 * MINUTE);
    expect([host.starts, web.starts]).toEqual([0, 0]);
    expect(told).toContain('web contraindicated');
    expect(told).toContain('host contraindicated');
    await clock.advance(10 * MINUTE);
    expect([host.starts, web.starts]).toEqual([1, 1]);
    expect(guardian.openIncidents).toEqual([]);
    await guardian.stop();
  });

  it('forbids it also when the 429 was seen while the quota was in maintenance', async () => {
    const { clock, host, guardian } = await makeChain();
    await guardian.beginMaintenance({
      resources: ['llm'],
      reason: 'new contract',
      untilMs: clock.now() + 5 * MINUTE,
    });
    const conditions = [{ name: 'quota_exhausted', until: clock.now() + 30 * MINUTE }];
    const { outcome } = await guardian.report({ resource: 'llm', signal: 'http.429', conditions });
    expect(await outcome).toBe('suppressed_maintenance');
    host.crash();
    await clock.advance(25 * MINUTE);
    expect(host.starts).toBe(0);
    await guardian.stop();
  });

  it('forbids it also for the next guardian, when this one has closed the incident and ended', async () => {
    const store = new MemoryStore();
    const first = await makeChain({ store });
    first.quota.note('model', { is: 'exhausted', until: first.clock.now() + 30 * MINUTE });
    await first.clock.advance(5_000);
    expect(first.guardian.openIncidents).toEqual([]);
    await first.guardian.stop();
    // Its quota is of another process, and knows nothing.
    const { clock, host, guardian } = await makeChain({ store, clock: first.clock });
    host.crash();
    await clock.advance(24 * MINUTE);
    expect(host.starts).toBe(0);
    await clock.advance(10 * MINUTE);
    expect(host.starts).toBe(1);
    await guardian.stop();
  });
});
