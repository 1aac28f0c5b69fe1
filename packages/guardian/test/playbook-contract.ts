import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '@buddy/core';
import {
  type AnyAdapter,
  createGuardian,
  type Guardian,
  type GuardianInput,
  type GuardianStore,
  MemoryStore,
  type Playbook,
  type RehearsedFault,
  type ResourceInput,
  type SymptomInput,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';

/** A place in which a playbook can be tried: real resources, a fault that is really injected, and a look at the state. */
export interface PlaybookWorld {
  resources: readonly ResourceInput[];
  /** Id of the resource that the symptom is about. */
  subject: string;
  fault: RehearsedFault;
  /** What is left to a person when it was healed. */
  handBack?: () => Promise<void>;
  /** What its application does all the time; by that some faults are noticed. */
  use?: () => Promise<void>;
  /** Its fault takes several steps; a guardian that watches would mend the first of them before the last. */
  isBrokenInSteps?: true;
  /** What the fault shows. */
  symptom: () => Promise<Omit<SymptomInput, 'resource'>>;
  /** All that the playbook may change, as it is now: compared by value. */
  state: () => Promise<unknown>;
  /** The state that a rollback leaves, where that is not the one before: the safe side. Told the state with the fault. */
  afterRollback?: (before: unknown) => unknown;
  close: () => Promise<void>;
}

const FAST: GuardianInput = {
  longestStableMs: 100,
  probeIntervalMs: 3_600_000,
  abortGraceMs: 100,
  autonomy: { 3: 'auto' },
  limits: { restarts: { most: 100 }, futility: { failures: 100 } },
};

/**
 * What every playbook owes. One line for each:
 * @example
 * describePlaybook(serviceCrashed, makeCrashWorld);
 */
export function describePlaybook(
  playbook: Playbook,
  makeWorld: () => Promise<PlaybookWorld>,
): void {
  describe(`playbook ${playbook.id}`, () => {
    const open: { world: PlaybookWorld; guardians: Guardian[] }[] = [];
    afterEach(async () => {
      for (const { world, guardians } of open.splice(0)) {
        for (const guardian of guardians) await guardian.stop();
        await world.close();
      }
    });

    const setUp = async () => {
      const world = await makeWorld();
      const guardians: Guardian[] = [];
      open.push({ world, guardians });
      return {
        world,
        guard: async (parts: Parts = {}) => {
          const guardian = await startGuardian(playbook, world, parts);
          guardians.push(guardian.guardian);
          return guardian;
        },
        inject: async () => {
          const { signal } = new AbortController();
          await world.fault.apply(signal);
          expect(await world.fault.isPresent(signal)).toBe(true);
          return {
            resource: world.subject,
            certainty: 'decisive',
            ...(await world.symptom()),
          } as const;
        },
      };
    };
    const expectRolledBack = async (world: PlaybookWorld, before: unknown) => {
      expect(await world.state()).toEqual(world.afterRollback?.(before) ?? before);
    };

    it('has a plan that changes nothing, however often it is made', async () => {
      const { world, guard, inject } = await setUp();
      const symptom = await inject();
      const before = await world.state();
      const { guardian } = await guard();
      const first = await guardian.dryRun(playbook.id, world.subject, withoutResource(symptom));
      const second = await guardian.dryRun(playbook.id, world.subject, withoutResource(symptom));
      expect(first.plan).toEqual(second.plan);
      expect(first.problems).toEqual({});
      expect(first.plan.effects.length).toBeGreaterThan(0);
      expect(await world.state()).toEqual(before);
    });

    it('heals the fault that is injected, and earns its certificate', async () => {
      const { world, guard } = await setUp();
      const { guardian } = await guard({ options: { autonomy: {} } });
      const symptom = await world.symptom();
      const { fault, subject } = world;
      const certificate = await guardian.rehearse(playbook.id, {
        resource: subject,
        fault,
        symptom,
      });
      expect(certificate).toMatchObject({ playbook: playbook.id, codeHash: playbook.codeHash });
    });

    it('heals it a second time', async () => {
      const { guard, inject } = await setUp();
      const { guardian } = await guard();
      for (let times = 0; times < 2; times += 1) {
        const { outcome } = await guardian.report(await inject());
        expect(await outcome).toBe('restored');
      }
    });

    it('goes back to the state before when nothing proves that it helped', async () => {
      const { world, guard, inject } = await setUp();
      const unproved: Playbook = {
        ...playbook,
        verify: {
          ...playbook.verify,
          withinMs: 50,
          checks: [{ name: 'never', run: async () => NEVER_WELL }],
        },
      };
      const { guardian } = await guard({ playbook: unproved });
      const symptom = await inject();
      const before = await world.state();
      const { outcome } = await guardian.report(symptom);
      expect(await outcome).toBe('escalated');
      await expectRolledBack(world, before);
    });

    it('goes back when a step takes too long', async () => {
      const { world, guard, inject } = await setUp();
      const hanging = lastEffectHangs(playbook);
      const impatient: Playbook = {
        ...playbook,
        steps: mapSteps(playbook, (step) =>
          step.id === hanging.step ? { ...step, timeoutMs: STEP_TIMEOUT_MS } : step,
        ),
      };
      const clock = overWhen(hanging.reached);
      const { guardian, told } = await guard({ playbook: impatient, hanging, clock });
      const symptom = await inject();
      const before = await world.state();
      const { outcome } = await guardian.report(symptom);
      await hanging.reached;
      expect(await outcome).toBe('escalated');
      expect(told).toContain(`${hanging.step} failed`);
      await expectRolledBack(world, before);
    });

    it('goes back when the guardian is stopped in its midst', async () => {
      const { world, guard, inject } = await setUp();
      const hanging = lastEffectHangs(playbook);
      const store = new MemoryStore();
      const { guardian } = await guard({ hanging, store });
      const symptom = await inject();
      const before = await world.state();
      await guardian.report(symptom);
      await hanging.reached;
      await guardian.stop();
      await expectRolledBack(world, before);
      expect(store.runs(1)).toMatchObject([{ result: 'aborted' }]);
      expect(store.incidents(1)).toMatchObject([{ status: 'open' }]);
    });

    it('is taken back and done anew by the next guardian when this one dies in its midst', async () => {
      const { guard, inject } = await setUp();
      const hanging = lastEffectHangs(playbook, 'for ever');
      const store = new MemoryStore();
      const dead = await guard({ hanging, store });
      const symptom = await inject();
      await dead.guardian.report(symptom);
      await hanging.reached; // and nothing is ever heard of it again
      const { guardian } = await guard({ store });
      const closed = new Promise((resolve) => guardian.events.once('incidentClosed', resolve));
      if (guardian.openIncidents.length > 0) await closed;
      expect(store.incidents(1)).toMatchObject([{ status: 'closed' }]);
      expect(store.ledger().pending).toBe(0);
      hanging.let();
    });

    it('does nothing that its tier is not allowed to', async () => {
      const { world, guard, inject } = await setUp();
      const { guardian, told } = await guard({ options: { autonomy: { 2: 'never', 3: 'never' } } });
      const symptom = await inject();
      const before = await world.state();
      const { outcome } = await guardian.report(symptom);
      expect(await outcome).toBe('refused_governance');
      expect(told.filter((line) => line.endsWith(' intent'))).toEqual([]);
      expect(await world.state()).toEqual(before);
    });

    it('is not armed without all of its resources, and says so', async () => {
      const { world, guard } = await setUp();
      const others = Object.keys(playbook.needs).length > 1;
      const alone = others ? world.resources.filter(({ id }) => id === world.subject) : [];
      const { guardian } = await guard({
        resources: alone.map(({ id, adapter }) => ({ id, adapter })),
      });
      await expect(guardian.dryRun(playbook.id, world.subject)).rejects.toThrow(
        others ? 'is not armed' : 'There is no resource',
      );
      const { outcome } = await guardian.report({
        resource: world.subject,
        certainty: 'decisive',
        ...(await world.symptom()),
      });
      expect(await outcome).toBe('unmatched');
    });
  });
}

const NEVER_WELL = {
  status: 'FAILED',
  signal: 'test.never_well',
  certainty: 'decisive',
  note: 'for a test',
} as const;

interface Parts {
  playbook?: Playbook;
  resources?: readonly ResourceInput[];
  options?: GuardianInput;
  store?: GuardianStore;
  clock?: Clock;
  hanging?: HangingEffect;
}

async function startGuardian(playbook: Playbook, world: PlaybookWorld, parts: Parts) {
  const { hanging } = parts;
  const guardian = createGuardian(
    { ...FAST, ...parts.options },
    {
      playbooks: [parts.playbook ?? playbook],
      resources: (parts.resources ?? world.resources).map((resource) => ({
        ...resource,
        adapter: hanging
          ? hanging.interpose(withoutWatch(resource.adapter))
          : withoutWatch(resource.adapter),
      })),
      ...(parts.store && { store: parts.store }),
      ...(parts.clock && { clock: parts.clock }),
    },
  );
  const told: string[] = [];
  guardian.events.on('stepChanged', ({ step }) => {
    told.push(`${step.step} ${step.state}`);
    hanging?.noteStep(step.step);
  });
  await guardian.start();
  return { guardian, told };
}

/** The suite tells of the fault itself, so that it is one symptom and not a race of two. */
function withoutWatch(adapter: AnyAdapter): AnyAdapter {
  return withMethod(adapter, (method) => (method === 'watch' ? () => () => undefined : undefined));
}

const STEP_TIMEOUT_MS = 54_321;

/** The real clock, but that a step's time is over as soon as its last effect is done: nobody has to wait for it. */
function overWhen(reached: Promise<void>): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic(),
    external: (work) => work(),
    sleep: async (ms, signal) => {
      const slept = systemClock.sleep(ms, signal);
      await (ms === STEP_TIMEOUT_MS ? Promise.race([reached, slept]) : slept);
    },
  };
}

/** Lets the last effect of the playbook be done, and then not come back until it is aborted, or for ever. */
function lastEffectHangs(playbook: Playbook, until: 'aborted' | 'for ever' = 'aborted') {
  const steps = playbook.steps.filter((step) => step.tier !== 4);
  const step = steps.at(-1);
  const last: string = step?.effects?.at(-1) ?? '';
  const [role = '', method = ''] = last.split('.');
  const kinds = [playbook.needs[role] ?? []].flat();
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let isDone = false;
  let isBegun = false; // an earlier step may do the same
  const interpose = (adapter: AnyAdapter): AnyAdapter =>
    withMethod(adapter, (name, original) => {
      if (!isBegun || !kinds.includes(adapter.kind) || name !== method) return undefined;
      return async (...args: unknown[]) => {
        await Reflect.apply(original, adapter, args);
        if (isDone) return;
        isDone = true;
        reached.resolve();
        const signal = args.at(-1);
        if (until === 'for ever' || !(signal instanceof AbortSignal)) await released.promise;
        else await sleep(60_000, undefined, { signal });
      };
    });
  return {
    interpose,
    noteStep: (id: string) => {
      if (id === step?.id) isBegun = true;
    },
    step: step?.id,
    reached: reached.promise,
    let: () => released.resolve(),
  };
}

type HangingEffect = ReturnType<typeof lastEffectHangs>;

type Method = (...args: unknown[]) => unknown;

function withMethod(
  adapter: AnyAdapter,
  replace: (method: string, original: Method) => Method | undefined,
): AnyAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      const original: Method = (...args) => Reflect.apply(member, target, args);
      return replace(name, original) ?? original;
    },
  });
}

function mapSteps(
  { steps }: Playbook,
  change: (step: Playbook['steps'][number]) => Playbook['steps'][number],
): Playbook['steps'] {
  const [first, ...rest] = steps;
  return [change(first), ...rest.map((step) => change(step))];
}

function withoutResource({ resource: _resource, ...rest }: SymptomInput) {
  return rest;
}
