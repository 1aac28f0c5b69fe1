import {
  createEngine,
  createHarness,
  type DurableContext,
  MemoryOutput,
  type Workflow,
} from '@buddy/agents';
import {
  ApprovalRequiredError,
  type Clock,
  countingId,
  defineTool,
  ManualClock,
} from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordsNamed, task, TestFailure } from './harness-fixture.ts';
import { Remembered } from './remembered.ts';

/* Somebody sets the clock on the wall while something waits. What takes 2 s still takes 2 s. */

/** A clock whose time of day somebody sets; what it counts goes on. */
class SetClock implements Clock {
  setByMs = 0;
  readonly #manual: ManualClock;

  constructor(manual: ManualClock) {
    this.#manual = manual;
  }

  now(): number {
    return this.#manual.now() + this.setByMs;
  }

  monotonic(): number {
    return this.#manual.monotonic();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#manual.sleep(ms, signal);
  }

  external<T>(work: () => Promise<T>): Promise<T> {
    return this.#manual.external(work);
  }
}

const HOUR_MS = 3_600_000;
const JUMPS = [HOUR_MS, -HOUR_MS];
const WAIT_MS = 2_000;

const waits: Record<string, (ctx: DurableContext) => Promise<unknown>> = {
  sleep: (ctx) => ctx.sleep('nap', WAIT_MS),
  'wait for a signal': (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: WAIT_MS }),
  'wait for a signal below another': async (ctx) =>
    ctx.joinAll(await ctx.spawnAll([{ key: 'c', id: 'c', workflow: 'child', input: null }])),
};
const child: Workflow = (ctx) => ctx.waitFor('topic', { key: 'wait', timeoutMs: WAIT_MS });

describe.each(Object.keys(waits))('a %s', (name) => {
  const w: Workflow = async (ctx) => waits[name]?.(ctx);
  const open = (journal: Remembered, clock: Clock) => {
    const engine = createEngine({ clock, store: journal.open() });
    engine.register({ workflows: { w, child }, tools: [], lanes: {} });
    return engine;
  };

  it.each(JUMPS)(
    'takes as long as it was meant to when the clock is set by %s ms',
    async (jump) => {
      const manual = new ManualClock();
      const clock = new SetClock(manual);
      const engine = open(new Remembered(), clock);
      await manual.run(async () => {
        await engine.start('w', 'w', null);
        await manual.sleep(500);
        clock.setByMs = jump;
        await engine.result('w');
      });
      expect(manual.monotonic()).toBe(WAIT_MS);
    },
  );

  it.each(JUMPS)('is never longer in the next process, on a clock set by %s ms', async (jump) => {
    const journal = new Remembered();
    const before = new ManualClock();
    await before.run(async () => {
      await open(journal, before).start('w', 'w', null);
      await before.sleep(500);
    });
    const manual = new ManualClock();
    const clock = new SetClock(manual);
    clock.setByMs = 500 + jump;
    const engine = open(journal, clock);
    await manual.run(async () => {
      await engine.open();
      await engine.result('w');
    });
    expect(manual.monotonic()).toBe(jump > 0 ? 0 : WAIT_MS);
  });
});

const LINES = [
  task('steady'),
  task('flaky', { input: { failures: 2 } }),
  task('gated', { action: 'test.gated' }),
];

describe.each([0, ...JUMPS])('a run while whose clock is set by %s ms', (jump) => {
  it('backs off for as long as ever, and gives people their time', async () => {
    const manual = new ManualClock();
    const clock = new SetClock(manual);
    const output = new MemoryOutput();
    const calls: string[] = [];
    const work = defineTool({
      name: 'test.work',
      description: 'Takes a second.',
      tier: 1,
      effect: 'pure',
      input: z.strictObject({ failures: z.number().default(0) }),
      output: z.object({ done: z.boolean() }),
      execute: async ({ failures }, { attempt, taskId }) => {
        calls.push(`${taskId} at ${manual.monotonic()}`);
        await manual.sleep(1_000);
        if (attempt <= failures) throw new TestFailure('no', { retryable: true });
        return { done: true };
      },
    });
    const gated = gatedTool();
    const harness = createHarness(
      {
        agents: [{ id: 'ada' }, { id: 'bob' }],
        maxAttempts: 3,
        verdictTimeoutMs: 60_000,
        backoff: { kind: 'exponential', baseMs: 4_000, capMs: 60_000, fullJitter: false },
      },
      {
        tools: [work, gated],
        clock,
        output,
        newId: countingId('run'),
        engine: createEngine({ clock, store: new Remembered().open() }),
      },
    );
    await harness.load({ tasks: LINES });
    const result = await manual.run(async () => {
      const running = harness.run();
      await manual.sleep(2_000); // one task backs off, one waits for a person
      clock.setByMs = jump;
      return running;
    });
    expect(result.counts).toMatchObject({ completed: 2, waiting: 1 });
    // 1 s, and then 4 s; 1 s, and then 8 s
    expect(calls.filter((call) => call.startsWith('flaky'))).toEqual([
      'flaky at 0',
      'flaky at 5000',
      'flaky at 14000',
    ]);
    await manual.run(async () => {
      while (recordsNamed(output, 'outcomes.jsonl').length < 4) await manual.sleep(1_000);
    });
    expect(manual.monotonic()).toBeGreaterThanOrEqual(60_000);
    expect(manual.monotonic()).toBeLessThan(62_000);
    for (const { execution_time: seconds } of recordsNamed(output, 'outcomes.jsonl')) {
      expect(seconds ?? 0).toBeGreaterThanOrEqual(0);
    }
    const took = recordsNamed(output, 'attempts.jsonl').map(
      ({ start_time: from, end_time: to }) => Date.parse(String(to)) - Date.parse(String(from)),
    );
    expect(took.toSorted((a, b) => a - b)).toEqual([0, 1_000, 1_000, 1_000, 1_000]);
    await harness.close();
  });
});

function gatedTool() {
  return defineTool({
    name: 'test.gated',
    description: 'Needs a person.',
    tier: 2,
    effect: 'keyed',
    input: z.unknown(),
    output: z.object({ done: z.boolean() }),
    execute: async () => {
      throw new ApprovalRequiredError('test.gated', 'ask');
    },
  });
}
