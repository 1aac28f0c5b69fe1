import {
  createGuardian,
  MemoryStore,
  on,
  type Sign,
  type StoreChange,
  StoreWriteError,
  type SymptomInput,
} from '@buddy/guardian';
import { ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook, startWorld } from './fake-service.ts';

const HOUR = 3_600_000;

const EVERY_EVENT = [
  'symptomReported',
  'outcomeDecided',
  'incidentOpened',
  'incidentParked',
  'runPlanned',
  'runEnded',
  'stepChanged',
  'verified',
  'resourceChanged',
  'alertRaised',
] as const;

function down(resource: string, changes: Partial<SymptomInput> = {}): SymptomInput {
  return { resource, signal: 'process.exited', certainty: 'decisive', ...changes };
}

function bad(): never {
  throw new Error('oops');
}

function quota(until?: number) {
  return { conditions: [{ name: 'quota_exhausted', ...(until !== undefined && { until }) }] };
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a guardian that is stopped', () => {
  it('tells who waits for an outcome that it does not come, and disturbs nobody who does not wait', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const api = new FakeService();
    const { guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    api.isUp = false;
    const waitedFor = await guardian.report(down('api'));
    await guardian.report(down('api', { signal: 'port.refused' }));
    await guardian.stop();
    await expect(waitedFor.outcome).rejects.toMatchObject({ code: 'GUARDIAN_STOPPED' });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('ends a rehearsal, which takes its fault away', async () => {
    const api = new FakeService();
    const { guardian, clock } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    const fault = {
      name: 'crash',
      apply: async () => {
        api.isUp = false;
      },
      isPresent: async () => !api.isUp,
      revert: async () => {
        api.isUp = true;
      },
    };
    api.onStart = (signal) => clock.sleep(HOUR, signal);
    const symptom = { signal: 'process.exited' };
    const rehearsal = guardian.rehearse('restart', { resource: 'api', fault, symptom });
    const ended = failureOf(rehearsal);
    await clock.advance(100);
    await clock.run(() => guardian.stop());
    expect(await ended).toMatchObject({ code: 'GUARDIAN_STOPPED' });
    expect(api.isUp).toBe(true);
  });

  it('is stopped once, for all who stop it', async () => {
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: new FakeService() }],
    });
    const events: string[] = [];
    guardian.events.on('stopped', () => events.push('stopped'));
    const second = async () => {
      await guardian.stop();
      events.push('known');
    };
    await clock.run(() => Promise.all([guardian.stop(), second()]));
    expect(events).toEqual(['stopped', 'known']);
  });

  it('watches nothing when it is stopped while it starts', async () => {
    const api = new FakeService();
    const guardian = createGuardian(
      {},
      { resources: [{ id: 'api', adapter: api }], playbooks: [], clock: new ManualClock() },
    );
    const starting = failureOf(guardian.start());
    await guardian.stop();
    expect(await starting).toMatchObject({ code: 'GUARDIAN_STOPPED' });
    expect(api.raise).toBeUndefined();
  });
});

describe('an adapter that misbehaves', () => {
  it('keeps nobody from the others when it cannot be listened to, or does not let go', async () => {
    const deaf = Object.assign(new FakeService(), {
      watch: () => {
        throw new Error('no ears');
      },
    });
    const sticky = Object.assign(new FakeService(), {
      watch: () => () => {
        throw new Error('it stays');
      },
    });
    const api = new FakeService();
    const { clock, guardian, alerts } = await startWorld({
      resources: [
        { id: 'deaf', adapter: deaf },
        { id: 'sticky', adapter: sticky },
        { id: 'api', adapter: api },
      ],
    });
    expect(alerts).toEqual(['internal: deaf cannot be listened to: no ears']);
    deaf.isUp = false;
    api.crash();
    await clock.advance(30_000);
    expect([deaf.isUp, api.isUp]).toEqual([true, true]);
    await clock.run(() => guardian.stop());
    expect(alerts.at(-1)).toBe('internal: sticky does not let go: it stays');
    expect(api.raise).toBeUndefined();
  });
});

describe('what an adapter says', () => {
  const TOKEN = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';

  it('is trouble also when it is said badly: the symptom is in the ledger, and somebody is told', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: 24 * HOUR }],
      store,
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no type keeps an adapter from
    const raise = (sign: unknown) => api.raise?.(sign as Sign);
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const failed = { status: 'FAILED', certainty: 'decisive' } as const;
    raise({ ...failed, signal: 'Not a Signal!', note: 'broken' });
    raise({ ...failed, signal: 'long.note', note: 'x'.repeat(100_000) });
    raise({ ...failed, signal: 'odd.data', note: '', data: { circle, big: 1n, no: undefined } });
    raise({ ...failed, signal: 'odd.conditions', note: '', conditions: ['quota', null] });
    raise({ ...failed, signal: 'no.note' });
    await clock.advance(5_000);
    const incidents = store.incidents(9);
    expect(incidents.map(({ signal }) => signal).toSorted()).toEqual([
      'long.note',
      'no.note',
      'odd.conditions',
      'odd.data',
      'probe.malformed',
    ]);
    expect(incidents.at(-1)?.symptom.note).toBe('Not a Signal!: broken');
    expect(store.ledger()).toMatchObject({ symptoms: 5, pending: 0, outcomes: { unmatched: 5 } });
    raise(undefined);
    raise({ status: 'BROKEN' });
    expect(alerts.slice(-2)).toEqual([
      'internal: api raised a sign that is UNKNOWN: it answered with no reading: undefined',
      'internal: api raised a sign that is UNKNOWN: it answered with no reading: its status is "BROKEN"',
    ]);
    await clock.run(() => guardian.stop());
  });

  it('is not known when a look answers with no reading', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no type keeps an adapter from
    const api = Object.assign(new FakeService(), { probe: async () => undefined as never });
    const { clock, guardian } = await startWorld({ resources: [{ id: 'api', adapter: api }] });
    await clock.advance(11_000);
    expect(guardian.health().resources['api']).toMatchObject({
      status: 'UNKNOWN',
      reason: 'probe_error',
    });
    expect(guardian.health().coverage).toBe(0);
    await clock.run(() => guardian.stop());
  });

  it('is told and kept without the secrets in it', async () => {
    const api = new FakeService();
    const store = new MemoryStore();
    const told: unknown[] = [];
    const refuse = async () => {
      throw new Error(`401 for ${TOKEN} at postgres://app:hunter2hunter2@10.0.0.7/db`);
    };
    api.onStart = refuse;
    api.probe = async () => ({
      status: 'FAILED',
      signal: 'process.exited',
      certainty: 'decisive',
      note: `it ended: ${TOKEN}`,
      data: { stderr_tail: `Authorization: Bearer ${TOKEN}`, password: 'hunter2hunter2' },
    });
    api.isUp = false;
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    for (const name of EVERY_EVENT) guardian.events.on(name, (event) => told.push(event));
    await clock.advance(15_000);
    await guardian.report(
      down('api', { signal: 'app.broken', note: TOKEN, data: { key: TOKEN, at: '10.0.0.7' } }),
    );
    await clock.advance(5_000);
    const state = store.load({ now: 0, runsSince: 0 });
    const all = JSON.stringify([
      told,
      state,
      guardian.stats(),
      guardian.health(),
      guardian.openIncidents,
      guardian.metricsText(),
    ]);
    expect(all).toContain('redacted');
    expect(all).toContain('10.0.0.7'); // an address is no secret here
    expect(all).not.toContain(TOKEN);
    expect(all).not.toContain('hunter2');
    await clock.run(() => guardian.stop());
  });
});

/** A store on a disk that is full until there is room again. */
class FullStore extends MemoryStore {
  isFull = false;

  override async write(changes: readonly StoreChange[]): Promise<void> {
    if (this.isFull) throw new StoreWriteError('the disk is full', { retryable: true });
    await super.write(changes);
  }
}

describe('a store that cannot be written', () => {
  it('is caught up with when there is room again: no symptom is lost, no incident stays open in it', async () => {
    const store = new FullStore();
    const api = new FakeService();
    const resources = [{ id: 'api', adapter: api, probeIntervalMs: 24 * HOUR }];
    const { clock, guardian, alerts } = await startWorld({ resources, store });
    store.isFull = true;
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    await guardian.report(down('api'));
    expect(api.starts).toBe(0); // no intent, no step
    expect(await clock.run(() => outcome)).toBe('escalated');
    store.isFull = false;
    await clock.advance(10 * 60_000);
    expect(store.ledger()).toMatchObject({
      symptoms: 2,
      pending: 0,
      outcomes: { escalated: 1, deduplicated: 1 },
    });
    expect(store.incidents(9)).toMatchObject([{ status: 'closed' }]);
    expect(alerts.filter((alert) => alert.startsWith('store'))).toEqual([
      'store: Not kept, and tried again: the disk is full',
    ]);
    expect(api.starts).toBe(1);
    // The next trouble of the kind is kept like any other.
    api.isUp = false;
    const again = await guardian.report(down('api'));
    expect(await clock.run(() => again.outcome)).toBe('restored');
    expect(store.ledger().symptoms).toBe(3);
    await clock.run(() => guardian.stop());
  });

  it('does not end the watch over how long things take', async () => {
    const store = new MemoryStore();
    store.prune = async () => {
      throw new Error('the disk is full');
    };
    const api = new FakeService();
    const { clock, guardian, alerts } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      store,
    });
    await clock.advance(HOUR + 20_000);
    expect(alerts).toEqual(['store: What is old could not be forgotten: the disk is full']);
    api.startsWell = false;
    api.crash();
    await clock.advance(200_000);
    expect(alerts.some((alert) => alert.startsWith('oldest_open: '))).toBe(true);
    await clock.run(() => guardian.stop());
  });
});

describe('a playbook that misbehaves', () => {
  it('keeps no other from its turn when its trigger throws, and does not run when it cannot say what forbids it', async () => {
    const api = new FakeService();
    const { clock, guardian, alerts, told } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [
        restartPlaybook({
          id: 'broken_trigger',
          priority: 9,
          triggers: [on('process.exited', bad)],
        }),
        restartPlaybook({
          id: 'broken_veto',
          priority: 8,
          contraindicatedBy: [{ name: 'never_mind', when: bad }],
        }),
        restartPlaybook(),
      ],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    expect(told.filter((one) => one.endsWith(' restored'))).toContain('restart restored');
    expect(api.starts).toBe(1);
    expect(alerts).toEqual(['internal: a trigger of broken_trigger threw: oops']);
    await clock.run(() => guardian.stop());
  });

  it('is given up when it does not say what is wrong, and the next has its turn', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api }],
      playbooks: [
        restartPlaybook({
          id: 'silent',
          priority: 9,
          diagnose: () => new Promise(() => undefined),
        }),
        restartPlaybook(),
      ],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('restored');
    await clock.run(() => guardian.stop());
  });

  it('is told of when it does what was given up and taken back already', async () => {
    const api = new FakeService();
    const { clock, guardian, alerts, told } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: HOUR }],
    });
    api.onStart = () => clock.sleep(30_000); // it has a second, and does not listen
    api.isUp = false;
    await guardian.report(down('api'));
    await clock.advance(20_000);
    expect(told).toContain('start undone');
    expect(alerts.filter((alert) => alert.startsWith('step_late'))).toEqual([]);
    const states = told.filter((one) => one.startsWith('start ')).length;
    await clock.advance(15_000);
    expect(alerts.filter((alert) => alert.startsWith('step_late'))).toHaveLength(1);
    // What the journal says last is that it was taken back.
    expect(told.filter((one) => one.startsWith('start '))).toHaveLength(states);
    await clock.advance(30_000);
    await clock.run(() => guardian.stop());
  });
});

describe('what forbids a cure', () => {
  it('holds as long as the one that tells of the longest', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: 24 * HOUR }],
    });
    // Somebody says until when, somebody else does not know, and is over sooner.
    await guardian.report(down('api', { signal: 'http.429', ...quota(clock.now() + 2 * HOUR) }));
    api.isUp = true;
    await guardian.report(down('api', { signal: 'quota.low', certainty: 'ambiguous', ...quota() }));
    await clock.advance(60_000);
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    expect(await clock.run(() => outcome)).toBe('contraindicated');
    await clock.advance(HOUR);
    expect(api.starts).toBe(0);
    await clock.advance(2 * HOUR);
    expect(api.isUp).toBe(true);
    await clock.run(() => guardian.stop());
  });
});

describe('options that contradict each other', () => {
  it.each([
    [{ retry: { firstMs: 7_200_000 } }, 'firstMs is more than longestMs'],
    [{ limits: { restarts: { windowMs: 7_200_000 } } }, 'longestWaitMs is less than windowMs'],
    [
      { limits: { futility: { firstRestMs: 7_200_000 } } },
      'firstRestMs is more than longestRestMs',
    ],
    [{ limits: { budget: { most: 1 } } }, 'leaves not one healing'],
  ])('%j is refused', (options, problem) => {
    const make = () => createGuardian(options, { resources: [], playbooks: [] });
    expect(make).toThrow(problem);
  });

  it('are not seen where there are none', () => {
    const budget = { most: 10, reservedShare: 0.9 };
    const make = () => createGuardian({ limits: { budget } }, { resources: [], playbooks: [] });
    expect(make).not.toThrow();
  });
});

describe('an operator', () => {
  it('takes a healing back once, however many ask for it at the same moment', async () => {
    const api = new FakeService();
    const { clock, guardian } = await startWorld({
      resources: [{ id: 'api', adapter: api, probeIntervalMs: HOUR }],
    });
    api.isUp = false;
    const { outcome } = await guardian.report(down('api'));
    await clock.run(() => outcome);
    const [run] = guardian.stats().lastRuns;
    const twice = [1, 2].map(() => guardian.rollBack(run?.id ?? ''));
    expect(await clock.run(() => Promise.all(twice))).toEqual([
      { undone: 1, isWhole: true },
      { undone: 0, isWhole: true },
    ]);
    expect(api.stops).toBe(1);
    await clock.run(() => guardian.stop());
    const late = { code: 'GUARDIAN_MISUSE' };
    await expect(guardian.rollBack(run?.id ?? '')).rejects.toMatchObject(late);
  });

  it('rehearses one playbook at a time on a resource, on one that is well, while the guardian works', async () => {
    const api = new FakeService();
    const injected: string[] = [];
    const request = {
      resource: 'api',
      symptom: { signal: 'process.exited' },
      fault: {
        name: 'crash',
        apply: async () => {
          injected.push('crash');
          api.isUp = false;
        },
        isPresent: async () => !api.isUp,
        revert: async () => undefined,
      },
    };
    const parts = { resources: [{ id: 'api', adapter: api }], playbooks: [restartPlaybook()] };
    const idle = createGuardian({}, { ...parts, clock: new ManualClock() });
    const misuse = { code: 'GUARDIAN_MISUSE' };
    await expect(idle.rehearse('restart', request)).rejects.toMatchObject(misuse);
    const { clock, guardian } = await startWorld(parts);
    const both = [1, 2].map(() => guardian.rehearse('restart', request));
    const results = await clock.run(() => Promise.allSettled(both));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(injected).toEqual(['crash']);
    api.isUp = false;
    const sick = failureOf(guardian.rehearse('restart', request));
    expect(await clock.run(() => sick)).toMatchObject({ code: 'GUARDIAN_REHEARSAL' });
    expect(injected).toEqual(['crash']);
    await clock.run(() => guardian.stop());
  });
});
