import { countingId, ManualClock, seededRandom } from '@buddy/core';
import {
  createGuardian,
  type Guardian,
  type GuardianStore,
  MemoryStore,
  openSqliteStore,
} from '@buddy/guardian';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeService, restartPlaybook } from './fake-service.ts';

const HOUR = 3_600_000;
const NAMES = ['db', 'api', 'web-0', 'web-1'] as const;
type Name = (typeof NAMES)[number];

/** What has to be true of the guardian, however the world behaves. */
interface Model {
  reported: number;
  /** Whether starting a service helps. */
  isCurable: Record<Name, boolean>;
}

interface Real {
  clock: ManualClock;
  guardian: Guardian;
  store: GuardianStore;
  services: Record<Name, FakeService>;
  /** Healings under way, by resource; more than one is a broken lock. */
  inside: Map<string, number>;
  broken: string[];
}

type Command = fc.AsyncCommand<Model, Real>;

/** Sums up to what was reported, after each command: no symptom without an outcome or a place in `pending`. */
function checkLedger(model: Model, { store, broken }: Real): void {
  const { symptoms, outcomes, pending } = store.ledger();
  const decided = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  expect(symptoms).toBe(decided + pending);
  expect(symptoms).toBeGreaterThanOrEqual(model.reported);
  expect(broken).toEqual([]);
}

const breakIt = (name: Name, isCurable: boolean): Command => ({
  check: () => true,
  run: async (model, real) => {
    model.isCurable[name] = isCurable;
    real.services[name].startsWell = isCurable;
    real.services[name].crash();
    await real.clock.advance(0);
    checkLedger(model, real);
  },
  toString: () => `${name} breaks${isCurable ? '' : ' for good'}`,
});

const mendIt = (name: Name): Command => ({
  check: () => true,
  run: async (model, real) => {
    model.isCurable[name] = true;
    real.services[name].startsWell = true;
    real.services[name].isUp = true;
    checkLedger(model, real);
  },
  toString: () => `somebody mends ${name}`,
});

const report = (name: Name, signal: string, isDecisive: boolean): Command => ({
  check: () => true,
  run: async (model, real) => {
    const certainty = isDecisive ? 'decisive' : 'ambiguous';
    await real.guardian.report({ resource: name, signal, certainty });
    model.reported += 1;
    checkLedger(model, real);
  },
  toString: () => `${signal} of ${name} is reported${isDecisive ? '' : ', maybe'}`,
});

const wait = (ms: number): Command => ({
  check: () => true,
  run: async (model, real) => {
    await real.clock.advance(ms);
    checkLedger(model, real);
  },
  toString: () => `${ms} ms pass`,
});

const maintain = (name: Name): Command => ({
  check: () => true,
  run: async (model, real) => {
    const untilMs = real.clock.now() + 60_000;
    await real.guardian.beginMaintenance({ resources: [name], untilMs, reason: 'work' });
    checkLedger(model, real);
  },
  toString: () => `maintenance of ${name}`,
});

const commands = fc.commands(
  [
    fc.tuple(fc.constantFrom(...NAMES), fc.boolean()).map(([name, cure]) => breakIt(name, cure)),
    fc.constantFrom(...NAMES).map((name) => mendIt(name)),
    fc
      .tuple(
        fc.constantFrom(...NAMES),
        fc.constantFrom('process.exited', 'http.refused', 'disk.on_fire'),
        fc.boolean(),
      )
      .map(([name, signal, isDecisive]) => report(name, signal, isDecisive)),
    fc.integer({ min: 1, max: 120_000 }).map((ms) => wait(ms)),
    fc.constantFrom(...NAMES).map((name) => maintain(name)),
  ],
  { maxCommands: 25 },
);

async function setUp(store: GuardianStore): Promise<{ model: Model; real: Real }> {
  const clock = new ManualClock();
  const inside = new Map<string, number>();
  const broken: string[] = [];
  const make = (name: Name): FakeService => {
    const service = new FakeService();
    service.onStart = async (signal) => {
      inside.set(name, (inside.get(name) ?? 0) + 1);
      if ((inside.get(name) ?? 0) > 1) broken.push(`two healings of ${name} at once`);
      const all = [...inside.values()].reduce((sum, count) => sum + count, 0);
      if (all > 3) broken.push(`${all} healings at once`);
      const group = (inside.get('web-0') ?? 0) + (inside.get('web-1') ?? 0);
      if (group > 1) broken.push('two members of a group at once');
      await clock.sleep(50, signal).finally(() => inside.set(name, (inside.get(name) ?? 1) - 1));
    };
    return service;
  };
  const services = {
    db: make('db'),
    api: make('api'),
    'web-0': make('web-0'),
    'web-1': make('web-1'),
  };
  services.api.needs = () => services.db.isUp;
  const guardian = createGuardian(
    {},
    {
      clock,
      store,
      random: seededRandom(7),
      newId: countingId('id'),
      playbooks: [restartPlaybook({ triggers: [{ signals: ['process.exited', 'http.refused'] }] })],
      resources: [
        { id: 'db', adapter: services.db },
        { id: 'api', adapter: services.api, dependsOn: ['db'] },
        { id: 'web-0', adapter: services['web-0'], group: 'web' },
        { id: 'web-1', adapter: services['web-1'], group: 'web' },
      ],
    },
  );
  const decided = new Map<number, number>();
  guardian.events.on('outcomeDecided', ({ seq }) => {
    decided.set(seq, (decided.get(seq) ?? 0) + 1);
    if ((decided.get(seq) ?? 0) > 1) broken.push(`symptom ${seq} has two outcomes`);
  });
  const restarts = new Map<string, number[]>();
  guardian.events.on('runPlanned', ({ plan, at }) => {
    const last = [...(restarts.get(plan.resource) ?? []), at].filter((one) => one > at - 600_000);
    restarts.set(plan.resource, last);
    if (last.length > 5) broken.push(`${plan.resource} was restarted ${last.length} times`);
  });
  await guardian.start();
  const isCurable = { db: true, api: true, 'web-0': true, 'web-1': true };
  return {
    model: { reported: 0, isCurable },
    real: { clock, guardian, store, services, inside, broken },
  };
}

const stores: [string, () => GuardianStore, number][] = [
  ['in memory', () => new MemoryStore(), 60],
  ['in SQLite', () => openSqliteStore(':memory:'), 20],
];

describe.each(stores)('whatever happens, a guardian with a store %s', (_name, open, numRuns) => {
  it('heals one at a time, keeps its budgets, gives each symptom one outcome, and gets stuck nowhere', () =>
    fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const { model, real } = await setUp(open());
        await fc.asyncModelRun(() => ({ model, real }), sequence);
        // The world is mended at last; whatever state the guardian was in, it finds its way out.
        for (const name of NAMES) {
          real.services[name].startsWell = true;
          real.services[name].isUp = true;
        }
        await real.clock.advance(2 * HOUR);
        expect(real.guardian.openIncidents).toEqual([]);
        expect(real.broken).toEqual([]);
        expect(real.store.ledger().pending).toBe(0);
        await real.guardian.stop();
      }),
      { numRuns },
    ));
});
