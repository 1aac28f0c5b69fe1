import {
  type Claim,
  createWorkQueue,
  makePlan,
  NOTHING_LEARNT,
  type OutcomeStatus,
  type Plan,
  type QueuedWork,
  type Work,
  type WorkQueue,
} from '@buddy/agents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Draft {
  id: string;
  durationMs?: number;
  dependsOn?: readonly string[];
  agentId?: string;
  isControl?: boolean;
  impossible?: string;
}

function workOf({ id, durationMs = 1_000, agentId, isControl = false }: Draft): Work {
  return {
    taskId: id,
    wave: 1,
    action: 'crm.save',
    input: null,
    priority: 0,
    effect: 'pure',
    canReconcile: false,
    plannedAgentId: agentId ?? null,
    isControl,
    heuristics: [],
    successProbability: 0.5,
    calibratedProbability: 0.5,
    predictedDurationMs: durationMs,
    queuedAt: 0,
  };
}

/** A queue of which every task is planned for the agent that its draft names. */
function queueOf(
  drafts: readonly Draft[],
  {
    agents = { ada: {}, bob: {} },
    strategy = 'load_balanced',
    earlier = {},
    now = () => 0,
  }: {
    agents?: Record<string, { capacity?: number; speed?: number }>;
    strategy?: Plan['strategy'];
    earlier?: Record<string, OutcomeStatus>;
    now?: () => number;
  } = {},
): WorkQueue {
  const plan: Plan = {
    wave: 1,
    strategy,
    agents: Object.entries(agents).map(([agentId, { capacity = 1, speed = 1 }]) => ({
      agentId,
      capacity,
      speed,
      taskIds: drafts.filter((draft) => draft.agentId === agentId).map(({ id }) => id),
      loadMs: 0,
    })),
    controlTaskIds: [],
    makespanMs: 0,
    lowerBoundMs: 0,
    ratio: 1,
    loadBalanceScore: 1,
    baselineRoundRobinMs: 0,
    guarantee: null,
  };
  const tasks = drafts.map((draft): QueuedWork => ({
    work: workOf(draft),
    dependsOn: draft.dependsOn ?? [],
    impossible: draft.impossible ? { code: draft.impossible, message: 'no' } : undefined,
  }));
  return createWorkQueue({ plan, tasks, earlier: new Map(Object.entries(earlier)), now });
}

function told(claim: Claim): string {
  switch (claim.kind) {
    case 'work':
      return claim.work.taskId;
    case 'settled':
      return `${claim.work.taskId} ${claim.status}`;
    case 'done':
      return 'done';
  }
}

/** What a claim answers; `waits` when it has not after everything that could has run. */
async function answer(claim: Promise<Claim>): Promise<string> {
  const pause = new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits')));
  return Promise.race([claim.then(told), pause]);
}

describe('a work queue', () => {
  it('hands an agent its own tasks in the order of the plan', async () => {
    const queue = queueOf([
      { id: 'a', agentId: 'ada' },
      { id: 'b', agentId: 'ada' },
    ]);
    expect(told(await queue.claim('ada'))).toBe('a');
    queue.settle('a', 'completed');
    expect(told(await queue.claim('ada'))).toBe('b');
    queue.settle('b', 'failed');
    expect(told(await queue.claim('ada'))).toBe('done');
  });

  it('has nothing for an agent that it does not know', async () => {
    expect(told(await queueOf([]).claim('eve'))).toBe('done');
  });
});

describe('stealing', () => {
  const busy: readonly Draft[] = [
    { id: 'a', durationMs: 1_000, agentId: 'ada' },
    { id: 'b', durationMs: 1_000, agentId: 'ada' },
    { id: 'c', durationMs: 600, agentId: 'ada' },
  ];

  it('takes the largest task that the thief ends before its owner would', async () => {
    const queue = queueOf(busy);
    await queue.claim('ada');
    expect(told(await queue.claim('bob'))).toBe('b');
    expect(queue.steals).toBe(1);
  });

  it('does not happen when the owner would be done sooner', async () => {
    const queue = queueOf(busy, { agents: { ada: { speed: 4 }, bob: { speed: 0.2 } } });
    await queue.claim('ada'); // done with all of it after 650 ms; bob would take 3 s for the smallest
    expect(await answer(queue.claim('bob'))).toBe('waits');
    expect(queue.steals).toBe(0);
  });

  it('happens after all when the owner overruns', async () => {
    let now = 0;
    const queue = queueOf(
      [
        { id: 'a', durationMs: 1_000, agentId: 'ada' },
        { id: 'b', durationMs: 2_000, agentId: 'ada' },
        { id: 'x', durationMs: 1_000, agentId: 'cas' },
      ],
      { agents: { ada: {}, bob: { speed: 0.7 }, cas: {} }, now: () => now },
    );
    await queue.claim('ada');
    await queue.claim('cas');
    now = 900;
    const claim = queue.claim('bob'); // ada would be done at 3 000, bob with the task at 3 757
    expect(await answer(claim)).toBe('waits');
    now = 3_000; // ada is 2 s late with the first: it would be done at 7 000, bob with the task at 5 857
    queue.settle('x', 'completed');
    expect(await answer(claim)).toBe('b');
  });

  it('never takes a control', async () => {
    const queue = queueOf(busy.map((draft) => ({ ...draft, isControl: true })));
    await queue.claim('ada');
    expect(told(await queue.claim('bob'))).toBe('done');
  });

  it('looks past an agent that has only controls left', async () => {
    const queue = queueOf(
      [
        { id: 'control', durationMs: 90_000, agentId: 'ada', isControl: true },
        { id: 'b1', durationMs: 1_000, agentId: 'bob' },
        { id: 'b2', durationMs: 1_000, agentId: 'bob' },
      ],
      { agents: { ada: {}, bob: {}, cas: {} } },
    );
    await queue.claim('bob');
    expect(told(await queue.claim('cas'))).toBe('b2');
  });

  it('never happens in a round-robin plan', async () => {
    const queue = queueOf(busy, { strategy: 'round_robin' });
    await queue.claim('ada');
    expect(told(await queue.claim('bob'))).toBe('done');
  });
});

describe('dependencies in a queue', () => {
  const chain: readonly Draft[] = [
    { id: 'a', agentId: 'ada' },
    { id: 'b', agentId: 'bob', dependsOn: ['a'] },
    { id: 'c', agentId: 'bob', dependsOn: ['b', 'a'] },
  ];

  it('are released when what they wait for is completed; a claim waits and wakes', async () => {
    const queue = queueOf(chain);
    await queue.claim('ada');
    const claim = queue.claim('bob');
    expect(await answer(claim)).toBe('waits');
    queue.settle('a', 'completed');
    expect(await answer(claim)).toBe('b');
  });

  it('are waited for while what they wait for is not even started', async () => {
    const queue = queueOf(chain.slice(0, 2), { strategy: 'round_robin' });
    const claim = queue.claim('bob');
    expect(await answer(claim)).toBe('waits');
    await queue.claim('ada');
    queue.settle('a', 'completed');
    expect(await answer(claim)).toBe('b');
  });

  it('take their place in the plan when they are released', async () => {
    const queue = queueOf(
      [
        { id: 'x', agentId: 'bob' },
        { id: 'b', agentId: 'ada', dependsOn: ['x'] },
        { id: 'c', agentId: 'ada' },
      ],
      { strategy: 'round_robin' },
    );
    await queue.claim('bob');
    queue.settle('x', 'completed');
    expect(told(await queue.claim('ada'))).toBe('b');
  });

  it.each(['failed', 'timed_out', 'denied', 'cancelled', 'skipped'] as const)(
    'are skipped, with a reason, when what they wait for is %s; and so on down the chain',
    async (status) => {
      const queue = queueOf(chain);
      await queue.claim('ada');
      queue.settle('a', status);
      const b = await queue.claim('ada');
      expect(b).toMatchObject({
        kind: 'settled',
        status: 'skipped',
        work: { taskId: 'b' },
        failure: {
          code: 'AGENTS_DEPENDENCY_NOT_DONE',
          message: `It depends on a, which is ${status}`,
        },
      });
      expect(told(await queue.claim('bob'))).toBe('c skipped');
      queue.settle('b', 'skipped');
      queue.settle('c', 'skipped');
      expect(told(await queue.claim('bob'))).toBe('done');
    },
  );

  it('on earlier waves count as they ended there', async () => {
    const queue = queueOf(
      [
        { id: 'a', agentId: 'ada', dependsOn: ['done'] },
        { id: 'b', agentId: 'ada', dependsOn: ['done', 'broken'] },
        { id: 'c', agentId: 'ada', dependsOn: ['held'] },
      ],
      { earlier: { done: 'completed', broken: 'failed', held: 'waiting' } },
    );
    expect(told(await queue.claim('ada'))).toBe('b skipped');
    expect(told(await queue.claim('ada'))).toBe('a');
    queue.settle('a', 'completed');
    expect(told(await queue.claim('ada'))).toBe('done');
    expect(told(queue.claimHeld())).toBe('c waiting');
  });

  it('of an impossible task are skipped after it', async () => {
    const queue = queueOf([
      { id: 'a', agentId: 'ada', impossible: 'AGENTS_UNKNOWN_TOOL' },
      { id: 'b', agentId: 'ada', dependsOn: ['a'] },
    ]);
    const first = await queue.claim('bob');
    expect(first).toMatchObject({ status: 'skipped', failure: { code: 'AGENTS_UNKNOWN_TOOL' } });
    queue.settle('a', 'skipped');
    expect(told(await queue.claim('bob'))).toBe('b skipped');
  });
});

describe('a task that waits', () => {
  const drafts: readonly Draft[] = [
    { id: 'a', agentId: 'ada' },
    { id: 'b', agentId: 'ada' },
    { id: 'c', agentId: 'ada', dependsOn: ['a', 'b'] },
    { id: 'd', agentId: 'ada', dependsOn: ['c'] },
  ];

  async function bothWait(): Promise<WorkQueue> {
    const queue = queueOf(drafts);
    for (const id of ['a', 'b']) {
      await queue.claim('ada');
      queue.settle(id, 'waiting');
    }
    for (const agent of ['ada', 'bob']) expect(told(await queue.claim(agent))).toBe('done');
    return queue;
  }

  it('holds what depends on it; the wave ends, and that is told once', async () => {
    const queue = await bothWait();
    expect(queue.claimHeld()).toMatchObject({
      status: 'waiting',
      failure: { code: 'AGENTS_WAITS' },
    });
    expect(told(queue.claimHeld())).toBe('d waiting');
    expect(told(queue.claimHeld())).toBe('done');
    expect(told(queue.claimAny())).toBe('done');
  });

  it('frees it when it is completed, once everything else that it waits for is', async () => {
    const queue = await bothWait();
    queue.claimHeld();
    queue.claimHeld();
    queue.settle('a', 'completed');
    expect(told(queue.claimAny())).toBe('done'); // b still waits
    queue.settle('b', 'completed');
    expect(told(queue.claimAny())).toBe('c');
    queue.settle('c', 'completed');
    expect(told(queue.claimAny())).toBe('d');
  });

  it('frees it for its agent, where that is still at work', async () => {
    const queue = queueOf([
      ...drafts.slice(0, 1),
      { id: 'b', agentId: 'bob' },
      { id: 'c', agentId: 'ada', dependsOn: ['a'] },
    ]);
    await queue.claim('ada');
    queue.settle('a', 'waiting');
    await queue.claim('bob');
    const claim = queue.claim('ada');
    expect(await answer(claim)).toBe('waits');
    queue.settle('a', 'completed');
    expect(told(queue.claimAny())).toBe('done');
    expect(await answer(claim)).toBe('c');
  });

  it('takes it along when it is denied', async () => {
    const queue = await bothWait();
    queue.claimHeld();
    queue.settle('a', 'denied');
    expect(told(queue.claimAny())).toBe('c skipped');
    queue.settle('c', 'skipped');
    expect(told(queue.claimAny())).toBe('d skipped');
    queue.settle('d', 'skipped');
    queue.settle('b', 'completed');
    expect(told(queue.claimAny())).toBe('done');
  });
});

describe('a cancelled queue', () => {
  it('hands out the rest as cancelled, wakes who waits, and ends', async () => {
    const queue = queueOf([
      { id: 'a', agentId: 'ada' },
      { id: 'b', agentId: 'ada', dependsOn: ['a'] },
      { id: 'c', agentId: 'ada', isControl: true },
    ]);
    await queue.claim('ada');
    const waiting = queue.claim('bob');
    expect(await answer(waiting)).toBe('waits');
    queue.cancel('enough');
    expect(told(await waiting)).toBe('c cancelled');
    expect(await queue.claim('ada')).toMatchObject({
      work: { taskId: 'b' },
      status: 'cancelled',
      failure: { code: 'CANCELLED', message: 'enough' },
    });
    queue.settle('a', 'completed');
    expect(told(await queue.claim('ada'))).toBe('done');
  });

  it('is emptied in one go through, however long it was', async () => {
    const drafts = Array.from({ length: 200_000 }, (_, at) => ({ id: `t${at}`, agentId: 'ada' }));
    const queue = queueOf(drafts);
    queue.cancel('enough');
    let count = 0;
    while ((await queue.claim('ada')).kind === 'settled') count += 1;
    expect(count).toBe(200_000);
  });
});

describe('a queue under any agents, ends and dependencies', () => {
  const statuses = ['completed', 'failed', 'denied', 'timed_out', 'waiting'] as const;
  const someWave = fc.record({
    drafts: fc.array(
      fc.record({
        durationMs: fc.integer({ min: 1, max: 100 }),
        needs: fc.array(fc.nat(), { maxLength: 2 }),
        isImpossible: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        status: fc.constantFrom('completed' as const, 'completed' as const, ...statuses),
        takes: fc.integer({ min: 0, max: 4 }),
      }),
      { maxLength: 25 },
    ),
    agents: fc.array(
      fc.record({
        capacity: fc.integer({ min: 1, max: 2 }),
        speed: fc.constantFrom(0.5, 1, 2),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    strategy: fc.constantFrom('round_robin' as const, 'load_balanced' as const),
  });

  it('hands each task out exactly once, never before what it needs, and never deadlocks', () =>
    fc.assert(
      fc.asyncProperty(someWave, async ({ drafts, agents, strategy }) => {
        const tasks = drafts.map((draft, at) => ({
          ...draft,
          id: `t${at}`,
          dependsOn: at === 0 ? [] : draft.needs.map((need) => `t${need % at}`),
        }));
        const byId = new Map(tasks.map((task) => [task.id, task]));
        const plan = makePlan({
          wave: 1,
          tasks: tasks.map(({ id, durationMs, dependsOn }) => ({
            taskId: id,
            action: 'crm.save',
            durationMs,
            priority: 0,
            confidence: 0.5,
            calibratedProbability: 0.5,
            dependsOn,
          })),
          agents: agents.map((agent, at) => ({ ...agent, agentId: `agent_${at}` })),
          strategy,
          learning: NOTHING_LEARNT,
          controlShare: 0.2,
          seed: 1,
        });
        const ownerOf = new Map(
          plan.agents.flatMap(({ agentId, taskIds }) => taskIds.map((id) => [id, agentId])),
        );
        const controls = new Set(plan.controlTaskIds);
        const queue = createWorkQueue({
          plan,
          tasks: tasks.map(({ id, durationMs, dependsOn, isImpossible }) => ({
            work: workOf({
              id,
              durationMs,
              agentId: ownerOf.get(id) ?? '',
              isControl: controls.has(id),
            }),
            dependsOn,
            impossible: isImpossible ? { code: 'X', message: 'x' } : undefined,
          })),
          earlier: new Map(),
          now: () => 0,
        });

        const ends = new Map<string, OutcomeStatus>();
        const end = (id: string, status: OutcomeStatus) => {
          expect(ends.get(id) ?? 'waiting').toBe('waiting'); // once, or first as waiting
          ends.set(id, status);
          queue.settle(id, status);
        };
        const slot = async (agentId: string) => {
          for (;;) {
            const claim = await queue.claim(agentId);
            if (claim.kind === 'done') return;
            const task = byId.get(claim.work.taskId);
            expect(ends.has(claim.work.taskId)).toBe(false);
            if (claim.kind === 'settled') {
              end(claim.work.taskId, claim.status);
              continue;
            }
            for (const id of task?.dependsOn ?? []) expect(ends.get(id)).toBe('completed');
            const isFixed = claim.work.isControl || strategy === 'round_robin';
            expect(!isFixed || agentId === claim.work.plannedAgentId).toBe(true);
            for (let turn = 0; turn < (task?.takes ?? 0); turn++) await Promise.resolve();
            end(claim.work.taskId, task?.status ?? 'failed');
          }
        };
        await Promise.all(
          plan.agents.flatMap(({ agentId, capacity }) =>
            Array.from({ length: capacity }, () => slot(agentId)),
          ),
        );
        for (let claim = queue.claimHeld(); claim.kind === 'settled'; claim = queue.claimHeld()) {
          end(claim.work.taskId, claim.status);
        }
        expect(ends.size).toBe(tasks.length);

        // Afterwards people decide, one after the other; in the end nothing waits.
        const drain = () => {
          for (let claim = queue.claimAny(); claim.kind !== 'done'; claim = queue.claimAny()) {
            const { taskId } = claim.work;
            if (claim.kind === 'settled') end(taskId, claim.status);
            else end(taskId, 'completed');
          }
        };
        for (const { id, status } of tasks) {
          if (status !== 'waiting' || ends.get(id) !== 'waiting') continue;
          if (isFree(id)) end(id, 'completed');
          drain();
        }
        expect([...ends.values()]).not.toContain('waiting');

        function isFree(id: string): boolean {
          return (byId.get(id)?.dependsOn ?? []).every(
            (needed) => ends.get(needed) === 'completed',
          );
        }
      }),
      { numRuns: 300 },
    ));
});
