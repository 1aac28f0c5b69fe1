import {
  createEngine,
  createHarness,
  type Harness,
  type HarnessInput,
  type Outcome,
  type WorkflowStore,
} from '@buddy/agents';
import {
  ApprovalRequiredError,
  BuddyError,
  countingId,
  ManualClock,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Remembered } from './remembered.ts';

const HOUR_MS = 3_600_000;

class LostError extends BuddyError {
  readonly code = 'CRM_ANSWER_LOST';
}

type Step = 'saves' | 'asks' | 'loses';

function act(step: Step | undefined, { taskId = '' }: ToolContext): string {
  switch (step) {
    case 'asks':
      throw new ApprovalRequiredError('crm.save', `approval-${taskId}`);
    case 'loses':
      throw new LostError('The answer was lost', { retryable: true, effect: 'unknown' });
    case 'saves':
    case undefined:
      return 'saved';
  }
}

interface Desk {
  harness: Harness;
  clock: ManualClock;
  /** Every call of the tool: task, attempt, key. */
  calls: { taskId: string; attempt: number; key: string }[];
  /** How tasks ended, in order. */
  settled: Outcome[];
}

/** A harness with tasks that do what their script says, call by call, and then save. */
async function deskOf(
  scripts: Record<string, readonly Step[]>,
  {
    dependsOn = {},
    options = {},
    storeOf,
  }: {
    dependsOn?: Record<string, readonly string[]>;
    options?: HarnessInput;
    storeOf?: (clock: ManualClock) => WorkflowStore;
  } = {},
): Promise<Desk> {
  const clock = new ManualClock(0);
  const calls: Desk['calls'] = [];
  const tool: Tool = {
    name: 'crm.save',
    description: 'Saves.',
    tier: 2,
    effect: 'once',
    input: z.unknown(),
    output: z.unknown(),
    execute: async (_input, context) => {
      const { taskId = '', attempt, idempotencyKey: key } = context;
      const step = scripts[taskId]?.[calls.filter((call) => call.taskId === taskId).length];
      calls.push({ taskId, attempt, key });
      await clock.sleep(100);
      return act(step, context);
    },
  };
  const harness = createHarness(
    { agents: [{ id: 'ada' }], controlShare: 0, ...options },
    {
      tools: [tool],
      clock,
      newId: countingId('run'),
      ...(storeOf && { engine: createEngine({ clock, store: storeOf(clock) }) }),
    },
  );
  const settled: Outcome[] = [];
  harness.events.on('taskSettled', ({ outcome }) => settled.push(outcome));
  const lines = Object.keys(scripts).map((task_id) => {
    const depends_on = dependsOn[task_id] ?? [];
    const line = { task_id, predicted_success_probability: 0.5, action: 'crm.save', depends_on };
    return `${JSON.stringify(line)}\n`;
  });
  await clock.run(() => harness.load({ tasks: lines }));
  return { harness, clock, calls, settled };
}

/** How the tasks ended, by id. */
function ends(settled: readonly Outcome[]): Record<string, string> {
  return Object.fromEntries(settled.map(({ taskId, status }) => [taskId, status]));
}

describe('a task that needs approval', () => {
  it('stands aside; the run goes on without it and says what it waits for', async () => {
    const { harness, clock, settled } = await deskOf({ a: ['asks'], b: [] });
    const result = await clock.run(() => harness.run());
    expect(result).toMatchObject({
      status: 'waiting',
      waiting: [{ taskId: 'a', approvalId: 'approval-a', why: 'approval' }],
      counts: { completed: 1, waiting: 1 },
    });
    expect(ends(settled)).toEqual({ b: 'completed' });
  });

  it('is done when a person agrees: the same attempt, under the same key', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['asks'] });
    await clock.run(() => harness.run());
    const result = await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(result).toMatchObject({
      status: 'completed',
      waiting: [],
      counts: { completed: 1, waiting: 0 },
    });
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(calls[0]?.key).toBe(calls[1]?.key);
    expect(settled).toMatchObject([{ status: 'completed', attempts: 1 }]);
  });

  it('is denied when a person says no', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['asks'] });
    await clock.run(() => harness.run());
    await clock.run(() => harness.decide('a', { kind: 'deny', explanation: 'too dear' }));
    expect(calls).toHaveLength(1);
    expect(settled).toMatchObject([
      { status: 'denied', failure: { code: 'AGENTS_NOT_APPROVED', message: 'too dear' } },
    ]);
  });

  it('is denied when nobody answers in time: that is never a yes', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['asks'] });
    await clock.run(() => harness.run());
    await clock.advance(72 * HOUR_MS - 1_000);
    expect(settled).toEqual([]);
    await clock.advance(1_000);
    expect(settled).toMatchObject([{ status: 'denied' }]);
    expect(calls).toHaveLength(1);
  });

  it('waits again when it is asked for again', async () => {
    const { harness, clock, calls } = await deskOf({ a: ['asks', 'asks'] });
    await clock.run(() => harness.run());
    const again = await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(again).toMatchObject({ status: 'waiting', waiting: [{ taskId: 'a' }] });
    const done = await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(done.status).toBe('completed');
    expect(calls).toHaveLength(3);
  });

  it('cannot be decided about when it does not wait', async () => {
    const { harness, clock } = await deskOf({ a: ['asks'], b: [] });
    await clock.run(() => harness.run());
    await expect(harness.decide('b', { kind: 'proceed' })).rejects.toMatchObject({
      code: 'AGENTS_HARNESS_MISUSE',
      message: expect.stringContaining('waiting: a'),
    });
  });

  it('is known to wait before its wave ends, however slow the journal is', async () => {
    const { harness, clock } = await deskOf(
      { a: ['asks'] },
      {
        storeOf: (slow) => {
          const store = new Remembered().open();
          const keep: WorkflowStore['keep'] = (operation) =>
            slow.external(async () => {
              await new Promise((resolve) => setImmediate(resolve));
              return store.keep(operation);
            });
          return { ...store, keep };
        },
      },
    );
    const order: string[] = [];
    harness.events.on('taskWaiting', () => order.push('taskWaiting'));
    harness.events.on('waveCompleted', () => order.push('waveCompleted'));
    const result = await clock.run(() => harness.run());
    expect(order).toEqual(['taskWaiting', 'waveCompleted']);
    expect(result.status).toBe('waiting');
  });
});

describe('a task of which nobody knows whether it happened', () => {
  it('waits for a person to say', async () => {
    const { harness, clock, calls } = await deskOf({ a: ['loses'] });
    const result = await clock.run(() => harness.run());
    expect(result.waiting).toEqual([{ taskId: 'a', approvalId: null, why: 'indeterminate' }]);
    expect(calls).toHaveLength(1);
  });

  it('is completed when a person says that it happened; it took what the call took', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['loses'] });
    await clock.run(() => harness.run());
    await clock.advance(5_000);
    await clock.run(() => harness.decide('a', { kind: 'completed' }));
    expect(calls).toHaveLength(1);
    expect(settled).toMatchObject([
      { status: 'completed', attempts: 1, attemptMs: 100, endedAt: 5_100, failure: null },
    ]);
  });

  it('is tried again when a person says that it did not: another attempt, under the same key', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['loses'] });
    await clock.run(() => harness.run());
    await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(calls[0]?.key).toBe(calls[1]?.key);
    expect(settled).toMatchObject([{ status: 'completed', attempts: 2 }]);
  });

  it('has failed when a person says so, or nobody says anything in time', async () => {
    const { harness, clock, settled } = await deskOf({ a: ['loses'], b: ['loses'] });
    await clock.run(() => harness.run());
    await clock.run(() => harness.decide('a', { kind: 'failed', explanation: 'it did not' }));
    await clock.advance(72 * HOUR_MS);
    expect(settled).toMatchObject([
      {
        taskId: 'a',
        status: 'failed',
        failure: { code: 'AGENTS_INDETERMINATE', message: 'it did not' },
      },
      { taskId: 'b', status: 'failed', failure: { code: 'AGENTS_INDETERMINATE' } },
    ]);
  });
});

describe('what depends on a task that waits', () => {
  const dependsOn = { b: ['a'], c: ['b'] };

  it('waits with it, and is done after it', async () => {
    const { harness, clock, settled } = await deskOf({ a: ['asks'], b: [], c: [] }, { dependsOn });
    const result = await clock.run(() => harness.run());
    expect(result.counts).toMatchObject({ waiting: 3 });
    const done = await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(done).toMatchObject({ status: 'completed', counts: { completed: 3, waiting: 0 } });
    const finals = settled.filter(({ status }) => status !== 'waiting');
    expect(finals.map(({ taskId }) => taskId)).toEqual(['a', 'b', 'c']);
  });

  it('is skipped with it', async () => {
    const { harness, clock, settled } = await deskOf({ a: ['asks'], b: [], c: [] }, { dependsOn });
    await clock.run(() => harness.run());
    const done = await clock.run(() => harness.decide('a', { kind: 'deny', explanation: 'no' }));
    expect(done.status).toBe('completed');
    expect(ends(settled)).toEqual({ a: 'denied', b: 'skipped', c: 'skipped' });
  });

  it('does not hold up the others when it has to wait in its turn', async () => {
    const { harness, clock, settled } = await deskOf(
      { a: ['asks'], b: ['asks'], c: [] },
      { dependsOn: { b: ['a'], c: ['a'] } },
    );
    await clock.run(() => harness.run());
    const result = await clock.run(() => harness.decide('a', { kind: 'proceed' }));
    expect(result.waiting).toMatchObject([{ taskId: 'b' }]);
    expect(ends(settled)).toMatchObject({ a: 'completed', c: 'completed' });
    const done = await clock.run(() => harness.decide('b', { kind: 'proceed' }));
    expect(done).toMatchObject({ status: 'completed', counts: { completed: 3 } });
  });
});

describe('cancelling a run', () => {
  it('ends what is under way; what waits for a person is left waiting', async () => {
    const { harness, clock, calls, settled } = await deskOf({ a: ['asks'], b: [], c: [] });
    const controller = new AbortController();
    void clock.sleep(150).then(() => controller.abort('enough'));
    const result = await clock.run(() => harness.run({ signal: controller.signal }));
    expect(result).toMatchObject({
      status: 'cancelled',
      counts: { cancelled: 2, waiting: 1, completed: 0 },
    });
    expect(ends(settled)).toEqual({ b: 'cancelled', c: 'cancelled' });
    expect(calls.map(({ taskId }) => taskId)).toEqual(['a', 'b']);
  });
});
