import {
  type Learning,
  lowerBound,
  makePlan,
  NOTHING_LEARNT,
  type Plan,
  type PlanAgent,
  type PlannableTask,
  type PlanRequest,
  type Strategy,
} from '@buddy/agents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const STRATEGIES: readonly Strategy[] = ['round_robin', 'load_balanced', 'priority', 'confidence'];

function taskOf(taskId: string, durationMs: number, change: Partial<PlannableTask> = {}) {
  return {
    taskId,
    action: 'crm.save',
    durationMs,
    priority: 0,
    confidence: 0.5,
    calibratedProbability: 0.5,
    dependsOn: [],
    ...change,
  };
}

function agentsOf(...speeds: number[]): PlanAgent[] {
  return speeds.map((speed, at) => ({ agentId: `agent_${at}`, capacity: 1, speed }));
}

function planOf(
  tasks: readonly PlannableTask[],
  agents: readonly PlanAgent[],
  change: Partial<PlanRequest> = {},
): Plan {
  return makePlan({
    wave: 1,
    tasks,
    agents,
    strategy: 'load_balanced',
    learning: NOTHING_LEARNT,
    controlShare: 0,
    seed: 1,
    ...change,
  });
}

const durations = (...ms: number[]) => ms.map((duration, at) => taskOf(`t${at}`, duration));

/** Tasks of a random graph without cycles: each may depend on tasks before it; then in any order. */
const someTasks = (maxLength: number) =>
  fc
    .array(
      fc.record({
        durationMs: fc.integer({ min: 1, max: 1_000 }),
        priority: fc.integer({ min: -2, max: 2 }),
        probability: fc.integer({ min: 0, max: 10 }),
        needs: fc.array(fc.nat(), { maxLength: 3 }),
      }),
      { maxLength },
    )
    .map((drafts) =>
      drafts.map(({ durationMs, priority, probability, needs }, at) =>
        taskOf(`t${at}`, durationMs, {
          priority,
          calibratedProbability: probability / 10,
          dependsOn: at === 0 ? [] : needs.map((need) => `t${need % at}`),
        }),
      ),
    )
    .chain((tasks) => fc.shuffledSubarray(tasks, { minLength: tasks.length }));

const someAgents = fc
  .array(
    fc.record({
      capacity: fc.integer({ min: 1, max: 3 }),
      speed: fc.constantFrom(0.5, 0.8, 1, 1.25, 3),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((agents) => agents.map((agent, at) => ({ ...agent, agentId: `agent_${at}` })));

const someRequest = fc.record({
  tasks: someTasks(30),
  agents: someAgents,
  strategy: fc.constantFrom(...STRATEGIES),
  controlShare: fc.constantFrom(0, 0.05, 0.5, 1),
});

describe('a plan, whatever the strategy', () => {
  it('gives every task to exactly one agent', () =>
    fc.assert(
      fc.property(someRequest, ({ tasks, agents, ...change }) => {
        const plan = planOf(tasks, agents, change);
        const given = plan.agents.flatMap(({ taskIds }) => taskIds).toSorted();
        expect(given).toEqual(tasks.map(({ taskId }) => taskId).toSorted());
      }),
    ));

  it('puts each task after what it depends on, on every agent', () =>
    fc.assert(
      fc.property(someRequest, ({ tasks, agents, ...change }) => {
        const { agents: planned } = planOf(tasks, agents, change);
        for (const { taskIds } of planned) {
          const place = new Map(taskIds.map((id, at) => [id, at]));
          for (const { taskId, dependsOn } of tasks) {
            const at = place.get(taskId) ?? Infinity;
            for (const id of dependsOn) expect(place.get(id) ?? -1).toBeLessThan(at);
          }
        }
      }),
    ));

  it('never ends before the lower bound', () =>
    fc.assert(
      fc.property(someRequest, ({ tasks, agents, ...change }) => {
        const plan = planOf(tasks, agents, change);
        expect(plan.makespanMs).toBeGreaterThanOrEqual(plan.lowerBoundMs);
        expect(plan.ratio).toBeGreaterThanOrEqual(1);
        expect(plan.loadBalanceScore).toBeGreaterThan(0);
        expect(plan.loadBalanceScore).toBeLessThanOrEqual(1);
        if (tasks.length === 0) return;
        expect(plan.loadBalanceScore).toBeCloseTo(plan.lowerBoundMs / plan.makespanMs, 12);
        // the bound is not lowered but for rounding
        expect(plan.lowerBoundMs).toBeCloseTo(lowerBound(tasks, agents), 6);
      }),
    ));

  it('tells the busy time of each agent by its speed', () =>
    fc.assert(
      fc.property(someRequest, ({ tasks, agents, ...change }) => {
        const durationOf = new Map(tasks.map(({ taskId, durationMs }) => [taskId, durationMs]));
        for (const { taskIds, speed, loadMs } of planOf(tasks, agents, change).agents) {
          const work = taskIds.reduce((sum, id) => sum + (durationOf.get(id) ?? 0), 0);
          expect(loadMs).toBeCloseTo(work / speed, 6);
        }
      }),
    ));

  it('is the same each time', () =>
    fc.assert(
      fc.property(someRequest, ({ tasks, agents, ...change }) => {
        expect(planOf(tasks, agents, change)).toEqual(planOf(tasks, agents, change));
      }),
    ));

  it('is empty for no tasks', () => {
    expect(planOf([], agentsOf(1, 1))).toMatchObject({
      makespanMs: 0,
      lowerBoundMs: 0,
      ratio: 1,
      loadBalanceScore: 1,
      baselineRoundRobinMs: 0,
      controlTaskIds: [],
    });
  });

  it('states how long dealing round-robin would take', () => {
    const tasks = durations(10, 1, 10, 1);
    const baseline = planOf(tasks, agentsOf(1, 1), { strategy: 'round_robin' });
    expect(baseline.makespanMs).toBe(20);
    expect(planOf(tasks, agentsOf(1, 1))).toMatchObject({
      makespanMs: 11,
      baselineRoundRobinMs: 20,
    });
  });

  it('takes chains of any length', () => {
    const tasks = Array.from({ length: 10_000 }, (_, at) =>
      taskOf(`t${at}`, 1, { dependsOn: at === 0 ? [] : [`t${at - 1}`] }),
    ).toReversed();
    expect(planOf(tasks, agentsOf(1, 1))).toMatchObject({ makespanMs: 10_000, ratio: 1 });
  });
});

describe('round_robin', () => {
  it('deals in the order of the file, blind to speed and size', () => {
    const plan = planOf(durations(9, 1, 1, 1, 1), agentsOf(1, 5), { strategy: 'round_robin' });
    expect(plan.agents.map(({ taskIds }) => taskIds)).toEqual([
      ['t0', 't2', 't4'],
      ['t1', 't3'],
    ]);
    expect(plan).toMatchObject({ controlTaskIds: [], guarantee: null });
  });
});

describe('load_balanced', () => {
  it("meets Graham's worst case: 7 where 6 is possible, and 7/6 is what it guarantees", () => {
    // Graham 1969: two machines, 3 3 2 2 2; the bound 4/3 - 1/(3 * 2) is tight.
    const plan = planOf(durations(3, 3, 2, 2, 2), agentsOf(1, 1));
    expect(plan.makespanMs).toBe(7);
    expect(plan.lowerBoundMs).toBe(6);
    expect(plan.guarantee).toBeCloseTo(7 / 6, 12);
    expect(optimum([3, 3, 2, 2, 2], [1, 1])).toBe(6);
  });

  it("meets Graham's worst case for three machines: 11 where 9 is possible", () => {
    const plan = planOf(durations(5, 5, 4, 4, 3, 3, 3), agentsOf(1, 1, 1));
    expect(plan.makespanMs).toBe(11);
    expect(plan.guarantee).toBeCloseTo(11 / 9, 12);
    expect(optimum([5, 5, 4, 4, 3, 3, 3], [1, 1, 1])).toBe(9);
  });

  it.each(['load_balanced', 'priority'] as const)(
    'keeps what %s guarantees against the best of all plans',
    (strategy) =>
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat(2)), {
            minLength: 1,
            maxLength: 8,
          }),
          fc.integer({ min: 1, max: 3 }),
          fc.constantFrom(0.5, 1, 2),
          (drafts, agentCount, speed) => {
            const tasks = drafts.map(([duration, priority], at) =>
              taskOf(`t${at}`, duration, { priority }),
            );
            const speeds = Array.from({ length: agentCount }, () => speed);
            const plan = planOf(tasks, agentsOf(...speeds), { strategy });
            const best = optimum(
              drafts.map(([duration]) => duration),
              speeds,
            );
            expect(plan.guarantee).not.toBeNull();
            expect(plan.makespanMs).toBeLessThanOrEqual((plan.guarantee ?? 0) * best + 1e-9);
            expect(plan.lowerBoundMs).toBeLessThanOrEqual(best + 1e-9);
          },
        ),
      ),
  );

  it('counts every place of an agent as a machine', () => {
    const plan = planOf(durations(3, 3, 2, 2, 2), [{ agentId: 'ada', capacity: 2, speed: 1 }]);
    expect(plan.makespanMs).toBe(7);
    expect(plan.guarantee).toBeCloseTo(7 / 6, 12);
  });

  it('guarantees nothing that no theorem says', () => {
    const chain = [taskOf('a', 1), taskOf('b', 1, { dependsOn: ['a'] })];
    expect(planOf(durations(1, 2), agentsOf(1, 2)).guarantee).toBeNull();
    expect(planOf(chain, agentsOf(1, 1)).guarantee).toBeNull();
    const controlled = planOf(durations(1, 2), agentsOf(1, 1), { controlShare: 1 });
    expect(controlled.guarantee).toBeNull();
    const confident = planOf(durations(1, 2), agentsOf(1, 1), { strategy: 'confidence' });
    expect(confident.guarantee).toBeNull();
  });

  it('gives a faster agent more', () => {
    const plan = planOf(durations(...Array.from({ length: 12 }, () => 10)), agentsOf(2, 1));
    expect(plan.agents.map(({ taskIds }) => taskIds.length)).toEqual([8, 4]);
    expect(plan).toMatchObject({ makespanMs: 40, ratio: 1 });
  });

  it('starts with the longest chain, not with the longest task', () => {
    const tasks = [
      taskOf('long', 5),
      taskOf('first', 3),
      taskOf('then', 4, { dependsOn: ['first'] }),
    ];
    const plan = planOf(tasks, agentsOf(1));
    expect(plan.agents[0]?.taskIds).toEqual(['first', 'long', 'then']);
    expect(planOf(tasks, agentsOf(1, 1))).toMatchObject({ makespanMs: 7, lowerBoundMs: 7 });
  });
});

describe('priority', () => {
  it('does the highest first, and before it what it waits for', () => {
    const tasks = [
      taskOf('a', 9, { priority: 1 }),
      taskOf('b', 1, { priority: 5, dependsOn: ['c'] }),
      taskOf('c', 1, { priority: -3 }),
      taskOf('d', 1, { priority: 2 }),
    ];
    const plan = planOf(tasks, agentsOf(1), { strategy: 'priority' });
    expect(plan.agents[0]?.taskIds).toEqual(['c', 'b', 'd', 'a']);
  });
});

describe('confidence', () => {
  const learning: Learning = {
    ...NOTHING_LEARNT,
    posterior: (agentId) => {
      const a = agentId === 'agent_1' ? 9 : 1;
      return { a, b: 10 - a, mean: a / 10 };
    },
  };

  it('does first what is likeliest to succeed for sure', () => {
    const tasks = [
      taskOf('a', 1, { calibratedProbability: 0.9, confidence: 0.1 }),
      taskOf('b', 1, { calibratedProbability: 0.6, confidence: 0.9 }),
    ];
    const plan = planOf(tasks, agentsOf(1), { strategy: 'confidence' });
    expect(plan.agents[0]?.taskIds).toEqual(['b', 'a']);
  });

  it('prefers the likeliest agent among those about as early', () => {
    const plan = planOf(durations(10), agentsOf(1.05, 1), { strategy: 'confidence', learning });
    expect(plan.agents.map(({ taskIds }) => taskIds)).toEqual([[], ['t0']]);
  });

  it('does not wait long for the likeliest agent', () => {
    const plan = planOf(durations(10), agentsOf(2, 1), { strategy: 'confidence', learning });
    expect(plan.agents.map(({ taskIds }) => taskIds)).toEqual([['t0'], []]);
  });
});

describe('controls', () => {
  const tasks = Array.from({ length: 2_000 }, (_, at) => taskOf(`t${at}`, (at % 7) + 1));

  it('are about the share asked for, drawn from the seed', () => {
    const { controlTaskIds } = planOf(tasks, agentsOf(1, 1), { controlShare: 0.05 });
    expect(controlTaskIds.length).toBeGreaterThan(60); // 100 expected, standard deviation 10
    expect(controlTaskIds.length).toBeLessThan(140);
    const other = planOf(tasks, agentsOf(1, 1), { controlShare: 0.05, seed: 2 });
    expect(other.controlTaskIds).not.toEqual(controlTaskIds);
  });

  it('are dealt in turn and come first', () => {
    const plan = planOf(tasks, agentsOf(3, 1, 1), { controlShare: 0.05 });
    const controls = new Set(plan.controlTaskIds);
    const counts = plan.agents.map(
      ({ taskIds }) => taskIds.filter((id) => controls.has(id)).length,
    );
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    for (const [at, { taskIds }] of plan.agents.entries()) {
      expect(taskIds.slice(0, counts[at]).every((id) => controls.has(id))).toBe(true);
    }
  });
});

/** The shortest makespan there is, by trying everything. */
function optimum(durationsMs: readonly number[], speeds: readonly number[]): number {
  const loads = speeds.map(() => 0);
  const place = (at: number): number => {
    const duration = durationsMs[at];
    if (duration === undefined) return Math.max(...loads);
    return Math.min(
      ...speeds.map((speed, agent) => {
        const before = loads[agent] ?? 0;
        loads[agent] = before + duration / speed;
        const best = place(at + 1);
        loads[agent] = before;
        return best;
      }),
    );
  };
  return place(0);
}
