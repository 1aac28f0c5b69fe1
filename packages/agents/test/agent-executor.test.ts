import {
  type AgentExecutorInput,
  createAgentExecutor,
  type ExecutorPorts,
  type TaskRequest,
} from '@buddy/agents';
import {
  defineTool,
  type Logger,
  ManualClock,
  markGoverned,
  silentLogger,
  type Tier,
  type Tool,
} from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** Sleeps for as long as its input says, or fails; and how many did so at once. */
function sleeper(clock: ManualClock): { tool: Tool; peak: () => number } {
  let now = 0;
  let peak = 0;
  const tool = defineTool({
    name: 'demo.sleep',
    description: 'Sleeps.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ ms: z.number(), fails: z.boolean().default(false) }),
    output: z.null(),
    execute: async ({ ms, fails }) => {
      now += 1;
      peak = Math.max(peak, now);
      await clock.sleep(ms);
      now -= 1;
      if (fails) throw new Error('no');
      return null;
    },
  });
  return { tool, peak: () => peak };
}

function napOf(taskId: string, ms: number, change: Partial<TaskRequest> = {}): TaskRequest {
  return { taskId, action: 'demo.sleep', input: { ms }, durationMs: Math.max(1, ms), ...change };
}

function executorOf(
  clock: ManualClock,
  tool: Tool,
  options: Partial<AgentExecutorInput> = {},
  ports: Partial<ExecutorPorts> = {},
) {
  return createAgentExecutor(
    { agent: { id: 'ada' }, ...options },
    { tools: [tool], clock, ...ports },
  );
}

describe('an agent executor', () => {
  it('does a wave longest first, and tells the outcomes in the order in which they ended', async () => {
    const clock = new ManualClock();
    const { tool } = sleeper(clock);
    const executor = executorOf(clock, tool);
    const tasks = [napOf('short', 10), napOf('long', 300), napOf('middle', 20)];
    const outcomes = await clock.run(() => executor.executeWave(tasks));
    expect(outcomes.map(({ taskId }) => taskId)).toEqual(['long', 'middle', 'short']);
  });

  it('never does more at once than its capacity, however it is asked', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 5 }), { maxLength: 4 }),
        async (capacity, waves) => {
          const clock = new ManualClock();
          const { tool, peak } = sleeper(clock);
          const executor = executorOf(clock, tool, { agent: { id: 'ada', capacity } });
          const outcomes = await clock.run(() =>
            Promise.all(
              waves.map((wave) => executor.executeWave(wave.map((ms, at) => napOf(`t${at}`, ms)))),
            ),
          );
          const count = waves.flat().length;
          expect(outcomes.flat()).toHaveLength(count);
          expect(peak()).toBeLessThanOrEqual(capacity);
          const isBusy = waves.some((wave) => wave.length >= capacity);
          expect(peak() === capacity || !isBusy).toBe(true);
        },
      ),
      { numRuns: 50 },
    ));

  it('goes on with another task while one waits for its next try', async () => {
    const clock = new ManualClock(0);
    const flaky: Tool = {
      ...sleeper(clock).tool,
      execute: async (input, { attempt }) => {
        await clock.sleep(100);
        const { isFlaky } = z.object({ isFlaky: z.boolean() }).parse(input);
        if (isFlaky && attempt === 1) throw Object.assign(new Error('busy'), { retryable: true });
        return null;
      },
    };
    const executor = executorOf(clock, flaky);
    const outcomes = await clock.run(() =>
      executor.executeWave([
        napOf('flaky', 200, { input: { isFlaky: true } }),
        napOf('steady', 100, { input: { isFlaky: false } }),
      ]),
    );
    expect(outcomes.map(({ taskId, endedAt }) => [taskId, endedAt])).toEqual([
      ['steady', 200],
      ['flaky', 1_200],
    ]);
  });

  it('counts what it did, and how far predictions were off', async () => {
    const clock = new ManualClock();
    const { tool } = sleeper(clock);
    const executor = executorOf(clock, tool);
    expect(executor.metrics()).toEqual({
      tasks: 0,
      completed: 0,
      failed: 0,
      attempts: 0,
      meanConfidenceDelta: Number.NaN,
      busyMs: 0,
    });
    await clock.run(async () => {
      await executor.executeTask(napOf('a', 100, { successProbability: 0.7 }));
      const input = { ms: 50, fails: true };
      await executor.executeTask(napOf('b', 50, { input, successProbability: 0.9 }));
      await executor.executeTask(napOf('c', 1), { signal: AbortSignal.abort() });
    });
    const { meanConfidenceDelta, ...counts } = executor.metrics();
    expect(counts).toEqual({ tasks: 3, completed: 1, failed: 1, attempts: 2, busyMs: 150 });
    expect(meanConfidenceDelta).toBeCloseTo((1 - 0.7 + (0 - 0.9)) / 2, 12);
  });

  it('cancels the whole wave, tasks under way and those not begun', async () => {
    const clock = new ManualClock();
    const { tool } = sleeper(clock);
    const controller = new AbortController();
    void clock.sleep(50).then(() => controller.abort('enough'));
    const executor = executorOf(clock, tool);
    const outcomes = await clock.run(() =>
      executor.executeWave([napOf('a', 100), napOf('b', 10)], { signal: controller.signal }),
    );
    expect(outcomes.map(({ taskId, status }) => [taskId, status])).toEqual([
      ['a', 'cancelled'],
      ['b', 'cancelled'],
    ]);
  });

  it('fails a task that names no tool it has', async () => {
    const clock = new ManualClock();
    const executor = executorOf(clock, sleeper(clock).tool);
    const outcome = await executor.executeTask({ taskId: 't', action: 'nope', input: null });
    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'AGENTS_UNKNOWN_TOOL' } });
  });

  it('goes on when a listener throws, and logs what it threw', async () => {
    const clock = new ManualClock();
    const { tool } = sleeper(clock);
    const logged: object[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (details: object | string) => void logged.push(Object(details)),
    };
    const executor = executorOf(clock, tool, {}, { logger });
    const oops = new Error('oops');
    executor.events.on('attemptEnded', () => {
      throw oops;
    });
    executor.events.on('taskSettled', () => {
      throw oops;
    });
    const outcome = await clock.run(() => executor.executeTask(napOf('a', 1)));
    expect(outcome.status).toBe('completed');
    expect(executor.metrics()).toMatchObject({ tasks: 1, completed: 1 });
    expect(logged).toEqual([
      { err: oops, event: 'attemptEnded' },
      { err: oops, event: 'taskSettled' },
    ]);
  });

  it('refuses tasks that do not fit, and two of one id', async () => {
    const clock = new ManualClock();
    const executor = executorOf(clock, sleeper(clock).tool);
    await expect(executor.executeTask(napOf('a', 1, { successProbability: 2 }))).rejects.toThrow(
      'successProbability',
    );
    await expect(executor.executeTask(napOf('a', 1, { durationMs: 0 }))).rejects.toThrow(
      'durationMs',
    );
    await expect(executor.executeWave([napOf('a', 1), napOf('a', 2)])).rejects.toThrow(
      'different ids',
    );
  });

  it('refuses options that do not fit', () => {
    expect(() => createAgentExecutor({ agent: { id: '../x' } }, { tools: [] })).toThrow('agent.id');
    // @ts-expect-error: a misspelt option
    expect(() => createAgentExecutor({ agent: { id: 'a' }, maxTries: 1 }, { tools: [] })).toThrow(
      'maxTries',
    );
  });
});

function toolOf(tier: Tier): Tool {
  return { ...sleeper(new ManualClock()).tool, name: `demo.tier${tier}`, tier };
}

function create(tool: Tool, allowUngoverned = false) {
  return createAgentExecutor({ agent: { id: 'ada' }, allowUngoverned }, { tools: [tool] });
}

describe('dangerous tools', () => {
  it('of tier 3 are refused without a gate, unless leave is given', () => {
    expect(() => create(toolOf(3))).toThrow('demo.tier3');
    expect(() => create(toolOf(3), true)).not.toThrow();
    expect(() => create(markGoverned(toolOf(3)))).not.toThrow();
  });

  it('of tier 3 are refused when the mark was copied onto another deed', () => {
    const copied = { ...markGoverned(toolOf(3)) };
    expect(() => create(copied)).toThrow('demo.tier3');
  });

  it('of tier 4 are refused always, by name', () => {
    for (const tool of [toolOf(4), markGoverned(toolOf(4))]) {
      expect(() => create(tool, true)).toThrow(
        expect.objectContaining({ code: 'AGENTS_TOOL_REFUSED', tools: ['demo.tier4'] }),
      );
    }
  });

  it('of tiers 1 and 2 need no gate', () => {
    expect(() => create(toolOf(1))).not.toThrow();
    expect(() => create(toolOf(2))).not.toThrow();
  });
});
