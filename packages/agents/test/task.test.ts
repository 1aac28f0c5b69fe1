import { createHash } from 'node:crypto';
import {
  type AgentExecutorInput,
  type Attempt,
  createAgentExecutor,
  type ExecutorPorts,
  type Heal,
  type Outcome,
  type TaskFailure,
} from '@buddy/agents';
import {
  ApprovalRequiredError,
  BuddyError,
  type BuddyErrorOptions,
  countingId,
  ManualClock,
  type Reconciliation,
  type Tool,
  ToolDeniedError,
  type ToolContext,
  type ToolEffect,
} from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

class CrmError extends BuddyError {
  readonly code = 'CRM_FAILED';
}

function broken(options: BuddyErrorOptions = {}): CrmError {
  return new CrmError('The CRM is broken', options);
}

interface Call {
  attempt: number;
  key: string;
  at: number;
}

/** A tool that does what the script says at each call, and then the last of it for ever; and the calls it got. */
function scripted(
  clock: ManualClock,
  script: readonly ((context: ToolContext) => unknown)[],
  {
    effect = 'pure',
    reconcile,
  }: { effect?: ToolEffect; reconcile?: (key: string) => Promise<Reconciliation<unknown>> } = {},
): { tool: Tool; calls: Call[] } {
  const calls: Call[] = [];
  const tool: Tool = {
    name: 'crm.save',
    description: 'Saves.',
    tier: 2,
    effect,
    input: z.unknown(),
    output: z.unknown(),
    execute: async (_input, context) => {
      const { attempt, idempotencyKey: key } = context;
      calls.push({ attempt, key, at: clock.now() });
      await clock.sleep(100);
      return script[Math.min(calls.length, script.length) - 1]?.(context);
    },
    ...(reconcile && { reconcile: (_input: unknown, key: string) => reconcile(key) }),
  };
  return { tool, calls };
}

function fails(options: BuddyErrorOptions = {}): () => never {
  return () => {
    throw broken(options);
  };
}
const succeeds = () => 'saved';
const loses = fails({ retryable: true, effect: 'unknown' });

/** Does one task, and tells what was told of it. */
async function doTask(
  clock: ManualClock,
  tool: Tool,
  {
    signal,
    ports = {},
    ...options
  }: Partial<AgentExecutorInput> & { signal?: AbortSignal; ports?: Partial<ExecutorPorts> } = {},
): Promise<{ outcome: Outcome; attempts: Attempt[]; output: unknown }> {
  const executor = createAgentExecutor(
    { agent: { id: 'ada' }, ...options },
    { tools: [tool], clock, newId: countingId('wave'), ...ports },
  );
  const attempts: Attempt[] = [];
  let output: unknown;
  executor.events.on('attemptEnded', ({ attempt }) => attempts.push(attempt));
  executor.events.on('taskSettled', (event) => (output = event.output));
  const task = { taskId: 't1', action: 'crm.save', input: null };
  const outcome = await clock.run(() =>
    executor.executeTask(task, signal === undefined ? {} : { signal }),
  );
  return { outcome, attempts, output };
}

describe('a task', () => {
  it('completes, with its times, its output and one attempt', async () => {
    const clock = new ManualClock(1_000);
    const { tool } = scripted(clock, [succeeds]);
    const { outcome, attempts, output } = await doTask(clock, tool);
    expect(outcome).toMatchObject({
      taskId: 't1',
      status: 'completed',
      agentId: 'ada',
      queuedAt: 1_000,
      startedAt: 1_000,
      endedAt: 1_100,
      attemptMs: 100,
      timedOutMs: 0,
      attempts: 1,
      isHealed: false,
      failure: null,
    });
    expect(attempts).toMatchObject([
      { attempt: 1, status: 'succeeded', startedAt: 1_000, endedAt: 1_100, backoffMs: null },
    ]);
    expect(output).toBe('saved');
  });

  it('is retried after 1 s and 2 s, and fails after the third try', async () => {
    const clock = new ManualClock(0);
    const { tool, calls } = scripted(clock, [fails({ retryable: true })]);
    const { outcome, attempts } = await doTask(clock, tool);
    expect(calls.map(({ at }) => at)).toEqual([0, 1_100, 3_200]);
    expect(attempts.map(({ attempt, status, backoffMs }) => [attempt, status, backoffMs])).toEqual([
      [1, 'failed', 1_000],
      [2, 'failed', 2_000],
      [3, 'failed', null],
    ]);
    expect(outcome).toMatchObject({
      status: 'failed',
      attempts: 3,
      startedAt: 0,
      endedAt: 3_300,
      attemptMs: 100,
      failure: { code: 'CRM_FAILED' },
    });
  });

  it('completes when a retry succeeds', async () => {
    const clock = new ManualClock();
    const { tool } = scripted(clock, [fails({ retryable: true }), succeeds]);
    const { outcome } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'completed', attempts: 2, failure: null });
  });

  it('is tried as often as asked', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails({ retryable: true })]);
    await doTask(clock, tool, { maxAttempts: 5, backoff: { kind: 'none' } });
    expect(calls).toHaveLength(5);
  });

  it('fails at once of what is not retryable', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails()]);
    const { outcome } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1 });
    expect(calls).toHaveLength(1);
  });

  it('waits as long as the other side asked, if that is longer', async () => {
    const clock = new ManualClock(0);
    const { tool, calls } = scripted(clock, [
      fails({ retryable: true, retryAfterMs: 30_000 }),
      fails({ retryable: true, retryAfterMs: 5 }),
      succeeds,
    ]);
    await doTask(clock, tool);
    expect(calls.map(({ at }) => at)).toEqual([0, 30_100, 32_200]);
  });

  it('is not tried again when the other side asks for a longer pause than is worth waiting', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails({ retryable: true, retryAfterMs: 60_001 })]);
    const { outcome } = await doTask(clock, tool, { maxRetryAfterMs: 60_000 });
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1 });
    expect(calls).toHaveLength(1);
  });

  it('times out when its tool never answers; what was lost in timeouts is counted', async () => {
    const clock = new ManualClock();
    const { tool } = scripted(clock, [() => new Promise(() => undefined)]);
    const { outcome, attempts } = await doTask(clock, tool, { taskTimeoutMs: 5_000 });
    expect(attempts.map(({ status }) => status)).toEqual(['timed_out', 'timed_out', 'timed_out']);
    expect(outcome).toMatchObject({
      status: 'timed_out',
      attempts: 3,
      attemptMs: 5_000,
      timedOutMs: 15_000,
      failure: { code: 'TIMED_OUT' },
    });
  });

  it('is denied when the gate says so, and not tried again', async () => {
    const clock = new ManualClock();
    const decision = { outcome: 'deny', rule: 'r', reasonCode: 'X', explanation: 'no' } as const;
    const { tool, calls } = scripted(clock, [
      () => {
        throw new ToolDeniedError('crm.save', decision);
      },
    ]);
    const { outcome, attempts } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'denied', failure: { code: 'CORE_TOOL_DENIED' } });
    expect(attempts).toMatchObject([{ status: 'denied' }]);
    expect(calls).toHaveLength(1);
  });

  it('that needs a person is left waiting by an agent on its own', async () => {
    const clock = new ManualClock();
    const { tool } = scripted(clock, [
      () => {
        throw new ApprovalRequiredError('crm.save', 'approval-7');
      },
    ]);
    const { outcome, attempts } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'waiting', endedAt: null });
    expect(attempts).toMatchObject([{ status: 'waiting' }]);
  });
});

const keyOf = (logicalAttempt: number) =>
  createHash('sha256').update(`wave-1/t1/${logicalAttempt}`).digest('hex');

describe('the words of a failure', () => {
  it('are kept without the secrets in them, and with the ids', async () => {
    const clock = new ManualClock();
    const said = 'GET https://bob:hunter2@crm.example.com/c/598j2HhEBi1R7Dt93Rf failed';
    const { tool } = scripted(clock, [
      () => {
        throw new CrmError(said);
      },
    ]);
    const { outcome, attempts } = await doTask(clock, tool);
    for (const failure of [outcome.failure, attempts[0]?.failure]) {
      expect(failure?.message).not.toContain('hunter2');
      expect(failure?.message).toContain('598j2HhEBi1R7Dt93Rf');
    }
  });
});

describe('an idempotency key', () => {
  it('is the SHA-256 of run, task and logical attempt, the same for every try', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [loses, fails({ retryable: true }), succeeds], {
      effect: 'keyed',
    });
    await doTask(clock, tool);
    expect(calls.map(({ key }) => key)).toEqual([keyOf(0), keyOf(0), keyOf(0)]);
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('is a new one after a definitive failure was healed', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails(), succeeds], { effect: 'keyed' });
    await doTask(clock, tool, { ports: { heal: async () => ({ isHealed: true }) } });
    expect(calls.map(({ key }) => key)).toEqual([keyOf(0), keyOf(1)]);
  });

  it('stays when what was healed may have taken effect', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails({ effect: 'unknown' }), succeeds], {
      effect: 'keyed',
    });
    await doTask(clock, tool, { ports: { heal: async () => ({ isHealed: true }) } });
    expect(calls.map(({ key }) => key)).toEqual([keyOf(0), keyOf(0)]);
  });
});

describe('a call that may have taken effect', () => {
  it.each(['pure', 'keyed'] as const)('is repeated when the tool is %s', async (effect) => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [loses, succeeds], { effect });
    const { outcome } = await doTask(clock, tool);
    expect(outcome.status).toBe('completed');
    expect(calls).toHaveLength(2);
  });

  it('is never repeated when it must happen once: it waits for a person', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [loses], { effect: 'once' });
    const { outcome } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'waiting', failure: { effect: 'unknown' } });
    expect(calls).toHaveLength(1);
  });

  it('is repeated when it surely did not happen, even if it must happen once', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [fails({ retryable: true }), succeeds], {
      effect: 'once',
    });
    expect((await doTask(clock, tool)).outcome.status).toBe('completed');
    expect(calls).toHaveLength(2);
  });

  it('waits for a person after a timeout, too', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [() => new Promise(() => undefined)], {
      effect: 'once',
    });
    const { outcome } = await doTask(clock, tool, { taskTimeoutMs: 200 });
    expect(outcome.status).toBe('waiting');
    expect(calls).toHaveLength(1);
  });

  it('is completed when the provider says that it happened, under the key of the call', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const { tool, calls } = scripted(clock, [loses], {
      effect: 'once',
      reconcile: async (key) => {
        asked.push(key);
        return { happened: true, output: 'found' };
      },
    });
    const { outcome, output, attempts } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'completed', attempts: 1, attemptMs: 100 });
    expect(output).toBe('found');
    expect(attempts).toMatchObject([{ status: 'succeeded' }]);
    expect(asked).toEqual(calls.map(({ key }) => key));
  });

  it('is repeated when the provider says that it did not happen', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [loses, succeeds], {
      effect: 'once',
      reconcile: async () => ({ happened: false }),
    });
    const { outcome, attempts } = await doTask(clock, tool);
    expect(outcome).toMatchObject({ status: 'completed', attempts: 2 });
    expect(attempts[0]).toMatchObject({ status: 'failed', failure: { effect: 'none' } });
    expect(calls).toHaveLength(2);
  });

  it.each<[string, () => Promise<Reconciliation<unknown>>]>([
    ['cannot tell', async () => ({ happened: 'unknown' })],
    ['cannot be reached', async () => Promise.reject(broken({ retryable: true }))],
    ['never answers', () => new Promise(() => undefined)],
  ])('waits for a person when the provider %s', async (_case, reconcile) => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [loses], { effect: 'once', reconcile });
    const { outcome } = await doTask(clock, tool);
    expect(outcome.status).toBe('waiting');
    expect(calls).toHaveLength(1);
  });

  it('is asked about again when the provider could not tell at first', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const { tool } = scripted(clock, [loses], {
      effect: 'once',
      reconcile: async () => {
        asked += 1;
        return asked < 3 ? { happened: 'unknown' } : { happened: true, output: 'found' };
      },
    });
    expect((await doTask(clock, tool)).outcome.status).toBe('completed');
    expect(asked).toBe(3);
  });
});

function healer(isHealed: boolean): { heal: Heal; asked: TaskFailure[] } {
  const asked: TaskFailure[] = [];
  const heal: Heal = async (failure) => {
    asked.push(failure);
    return { isHealed };
  };
  return { heal, asked };
}

describe('healing', () => {
  it('is asked for once, when the tries are used up, and gives one more', async () => {
    const clock = new ManualClock();
    const { heal, asked } = healer(true);
    const { tool, calls } = scripted(clock, [fails({ retryable: true })]);
    const { outcome } = await doTask(clock, tool, { ports: { heal } });
    expect(asked).toMatchObject([
      {
        taskId: 't1',
        action: 'crm.save',
        agentId: 'ada',
        attempts: 3,
        failure: { code: 'CRM_FAILED' },
      },
    ]);
    expect(calls).toHaveLength(4);
    expect(outcome).toMatchObject({ status: 'failed', attempts: 4, isHealed: false });
  });

  it('has a part in a success', async () => {
    const clock = new ManualClock();
    const { heal } = healer(true);
    const { tool } = scripted(clock, [fails(), succeeds]);
    const { outcome } = await doTask(clock, tool, { ports: { heal } });
    expect(outcome).toMatchObject({ status: 'completed', attempts: 2, isHealed: true });
  });

  it('that does not help ends the task', async () => {
    const clock = new ManualClock();
    const { heal, asked } = healer(false);
    const { tool, calls } = scripted(clock, [fails()]);
    const { outcome } = await doTask(clock, tool, { ports: { heal } });
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1 });
    expect(calls).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('that breaks ends the task, by its own failure', async () => {
    const clock = new ManualClock();
    const { tool } = scripted(clock, [fails()]);
    const { outcome } = await doTask(clock, tool, {
      ports: { heal: async () => Promise.reject(new Error('healer down')) },
    });
    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'CRM_FAILED' } });
  });

  it('that never answers is given up after its time limit', async () => {
    const clock = new ManualClock(0);
    const { tool } = scripted(clock, [fails()]);
    let isAborted = false;
    const heal: Heal = (_failure, { signal }) =>
      new Promise(() => signal.addEventListener('abort', () => (isAborted = true)));
    const { outcome } = await doTask(clock, tool, { healTimeoutMs: 5_000, ports: { heal } });
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1 });
    expect(clock.now()).toBe(5_100);
    expect(isAborted).toBe(true);
  });

  it('is not asked for when the call may have happened and must happen once', async () => {
    const clock = new ManualClock();
    const { heal, asked } = healer(true);
    const { tool, calls } = scripted(clock, [fails({ effect: 'unknown' })], { effect: 'once' });
    await doTask(clock, tool, { ports: { heal } });
    expect(asked).toEqual([]);
    expect(calls).toHaveLength(1);
  });
});

/** Aborts at the given moment. */
function abortingAt(clock: ManualClock, ms: number): AbortSignal {
  const controller = new AbortController();
  void clock.sleep(ms).then(() => controller.abort(new Error('enough')));
  return controller.signal;
}

describe('cancelling a task', () => {
  it('during its call aborts the tool', async () => {
    const clock = new ManualClock();
    let isAborted = false;
    const { tool } = scripted(clock, [
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            isAborted = true;
            reject(new Error('aborted'));
          });
        }),
    ]);
    const { outcome, attempts } = await doTask(clock, tool, { signal: abortingAt(clock, 150) });
    expect(isAborted).toBe(true);
    expect(attempts).toMatchObject([{ status: 'cancelled' }]);
    expect(outcome).toMatchObject({
      status: 'cancelled',
      attempts: 1,
      attemptMs: 150,
      failure: { code: 'CANCELLED', message: 'Error: enough' },
    });
  });

  it('between two tries ends it there; what it last failed of is kept', async () => {
    const clock = new ManualClock(0);
    const { tool, calls } = scripted(clock, [fails({ retryable: true })]);
    const { outcome, attempts } = await doTask(clock, tool, { signal: abortingAt(clock, 500) });
    expect(calls).toHaveLength(1);
    expect(attempts).toMatchObject([{ status: 'failed', backoffMs: 1_000 }]);
    expect(outcome).toMatchObject({
      status: 'cancelled',
      attempts: 1,
      endedAt: 500,
      attemptMs: 100,
      failure: { code: 'CRM_FAILED' },
    });
  });

  it('before it began never calls the tool', async () => {
    const clock = new ManualClock();
    const { tool, calls } = scripted(clock, [succeeds]);
    const { outcome } = await doTask(clock, tool, { signal: AbortSignal.abort('enough') });
    expect(outcome).toMatchObject({ status: 'cancelled', agentId: null, startedAt: null });
    expect(calls).toEqual([]);
  });
});
