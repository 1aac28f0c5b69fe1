import { setImmediate as macrotask } from 'node:timers/promises';
import {
  createEngine,
  createHarness,
  MemoryOutput,
  type Output,
  OutputFailedError,
} from '@buddy/agents';
import { type Clock, defineTool, ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  gatedTool,
  jsonFile,
  prepare,
  records,
  recordsNamed,
  task,
  tasks,
  workTool,
} from './harness-fixture.ts';
import { Remembered } from './remembered.ts';

/** Works for a second, and tells what became of the signals it was given. */
function watchedTool(clock: Clock) {
  const calls: { taskId: string; signal: AbortSignal }[] = [];
  const tool = defineTool({
    name: 'test.work',
    description: 'Works.',
    tier: 1,
    effect: 'pure',
    input: z.unknown(),
    output: z.unknown(),
    execute: async (_input, { taskId = '', signal }) => {
      calls.push({ taskId, signal });
      await clock.sleep(1_000, signal);
      return null;
    },
  });
  return { tool, calls };
}

/** Two agents, three waves of 5 s, and the end in the middle of the second. */
async function abortedMidway() {
  const clock = new ManualClock();
  const { tool, calls } = watchedTool(clock);
  const prepared = await prepare({
    input: { agents: [{ id: 'ada' }, { id: 'ben' }] },
    lines: tasks(30, (at) => ({ wave: 1 + Math.floor(at / 10) })),
    clock,
    makeTools: () => [tool],
  });
  const aborting = new AbortController();
  const result = await clock.run(async () => {
    const running = prepared.harness.run({ signal: aborting.signal });
    await clock.sleep(7_500); // wave 1 takes 5 s
    aborting.abort('enough');
    return running;
  });
  return { ...prepared, result, calls };
}

describe('a run that is aborted', () => {
  it('resolves as cancelled, with what was done and what was not', async () => {
    const { result } = await abortedMidway();
    expect(result).toMatchObject({
      status: 'cancelled',
      waves: [1],
      unfinishedWaves: [2, 3],
      tasks: 20,
      counts: { completed: 14, cancelled: 6 },
    });
    expect(result.endedAt - result.startedAt).toBe(7_500);
  });

  it('aborts what is in flight, and starts nothing more', async () => {
    const { calls, clock } = await abortedMidway();
    expect(calls.filter(({ signal }) => signal.aborted)).toHaveLength(2);
    expect(calls).toHaveLength(16);
    await clock.advance(3_600_000);
    expect(calls).toHaveLength(16);
  });

  it('leaves whole files that tell so', async () => {
    const { output } = await abortedMidway();
    for (const path of output.files.keys()) {
      if (path.endsWith('.jsonl')) records(output, path);
      if (path.endsWith('.json')) jsonFile(output, path);
    }
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({
      status: 'cancelled',
      unfinished_waves: [2, 3],
      counts: { completed: 14, cancelled: 6 },
    });
    expect(recordsNamed(output, 'outcomes.jsonl')).toHaveLength(20);
    expect(output.files.get('phase21/report.md')).toContain('enough');
    expect(records(output, 'phase21/events.jsonl').at(-1)).toMatchObject({
      event: 'runCompleted',
      status: 'cancelled',
    });
  });

  it('does nothing at all when it was aborted before', async () => {
    const clock = new ManualClock();
    const { tool, calls } = watchedTool(clock);
    const { run, output } = await prepare({ lines: tasks(3), clock, makeTools: () => [tool] });
    const result = await run({ signal: AbortSignal.abort('never mind') });
    expect(result).toMatchObject({
      status: 'cancelled',
      tasks: 0,
      waves: [],
      unfinishedWaves: [1],
    });
    expect(calls).toEqual([]);
    expect([...output.files.keys()].filter((path) => path.includes('wave_'))).toEqual([]);
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'cancelled' });
  });

  it('ends well where runs are remembered, too, when it was aborted before it was one', async () => {
    const clock = new ManualClock();
    const journal = new Remembered();
    const engine = createEngine({ clock, store: journal.open() });
    const { run } = await prepare({ lines: tasks(3), clock, engine });
    expect(await run({ signal: AbortSignal.abort('never mind') })).toMatchObject({
      status: 'cancelled',
    });
    expect(journal.operations).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 8, 13, 20, 30])(
    'ends well when that is while the %ith thing is written',
    async (nth) => {
      const clock = new ManualClock();
      const aborting = new AbortController();
      const output = new MemoryOutput();
      let writes = 0;
      const slow: Output = {
        isCongested: true, // flushed as often as can be
        append: (path, record) => output.append(path, record),
        write: (path, text) => later(() => output.write(path, text)),
        flush: () => later(() => output.flush()),
        close: () => output.close(),
      };
      const later = (work: () => Promise<void>) => {
        writes += 1;
        if (writes === nth) aborting.abort('now');
        return clock.external(async () => {
          await macrotask();
          await work();
        });
      };
      const harness = createHarness({}, { tools: [workTool(clock)], clock, output: slow });
      await harness.load({ tasks: tasks(8, (at) => ({ wave: 1 + (at % 2) })) });
      const result = await clock.run(() => harness.run({ signal: aborting.signal }));
      const written = new Map(output.files);
      expect(result.status).toBe('cancelled');
      expect(result.unfinishedWaves.length).toBeGreaterThan(0);
      expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'cancelled' });
      await harness.close();
      await clock.advance(3_600_000);
      expect(output.files).toEqual(written); // nothing comes after the end
      const events = records(output, 'phase21/events.jsonl').map(({ event }) => event);
      expect(events.at(-1)).toBe('runCompleted');
      const count = (name: string) => events.filter((event) => event === name).length;
      expect(count('waveStarted')).toBe(count('waveCompleted'));
    },
  );

  it('leaves alone a task that waits, and nobody can decide it any more', async () => {
    const { tool } = gatedTool();
    const clock = new ManualClock();
    const { harness } = await prepare({
      lines: [task('ask', { action: 'test.gated' }), ...tasks(8)],
      clock,
      makeTools: () => [tool, workTool(clock)],
    });
    const aborting = new AbortController();
    const result = await clock.run(async () => {
      const running = harness.run({ signal: aborting.signal });
      await clock.sleep(500);
      aborting.abort(new Error('the power goes'));
      return running;
    });
    expect(result).toMatchObject({ status: 'cancelled', counts: { waiting: 1 } });
    await expect(harness.decide('ask', { kind: 'proceed' })).rejects.toMatchObject({
      code: 'AGENTS_HARNESS_MISUSE',
      message: expect.stringContaining('the run has ended'),
    });
  });
});

/** Fails from the nth call on that `isHit` says, as a full disk does. */
class FailingOutput implements Output {
  readonly files = new MemoryOutput();
  readonly isCongested = false;
  readonly #isHit: (path: string) => boolean;
  #isBroken = false;

  constructor(isHit: (path: string) => boolean) {
    this.#isHit = isHit;
  }

  append(path: string, record: object): void {
    this.#check(path);
    this.files.append(path, record);
  }

  async write(path: string, text: string): Promise<void> {
    this.#check(path);
    await this.files.write(path, text);
  }

  async flush(): Promise<void> {
    if (this.#isBroken) throw this.#error('flush');
  }

  async close(): Promise<void> {
    await this.flush();
  }

  #check(path: string): void {
    if (this.#isHit(path)) this.#isBroken = true;
    if (this.#isBroken) throw this.#error(path);
  }

  #error(path: string): OutputFailedError {
    return new OutputFailedError(path, new Error('ENOSPC: no space left on device'));
  }
}

describe('a run that cannot write', () => {
  it.each([
    ['a plan', 'plan.json'],
    ['an assignment', 'assignments.jsonl'],
    ['an attempt', 'attempts.jsonl'],
    ['an outcome', 'outcomes.jsonl'],
    ["a wave's metrics", 'wave_1/metrics.json'],
    ['feedback', 'prediction_feedback.jsonl'],
  ])('%s rejects at once and names the cause', async (_what, name) => {
    const clock = new ManualClock();
    const { tool, calls } = watchedTool(clock);
    const output = new FailingOutput((path) => path.endsWith(name));
    const { harness } = await prepare({
      input: { agents: [{ id: 'ada' }, { id: 'ben', capacity: 2 }] },
      // The chain makes agents wait for each other: none may be left waiting.
      lines: tasks(20, (at) => (at === 0 ? {} : { depends_on: [`t${Math.floor((at - 1) / 2)}`] })),
      clock,
      output,
      makeTools: () => [tool],
    });
    const running = clock.run(() => harness.run());
    await expect(running).rejects.toMatchObject({
      code: 'AGENTS_RUN_FAILED',
      message: expect.stringMatching(
        /^The run failed: Cannot write .*ENOSPC: no space left on device$/,
      ),
      cause: expect.any(OutputFailedError),
      failure: { code: 'AGENTS_OUTPUT_FAILED' },
    });
    const started = calls.length;
    await clock.advance(3_600_000);
    expect(calls).toHaveLength(started);
    await expect(harness.close()).rejects.toMatchObject({ code: 'AGENTS_OUTPUT_FAILED' });
    await expect(harness.run()).rejects.toMatchObject({ code: 'AGENTS_HARNESS_MISUSE' });
  });

  it.each(['attempts.jsonl', 'wave_1/metrics.json'])(
    '%s leaves no timer behind that would keep the process alive',
    async (name) => {
      const clock = new ManualClock();
      let sleeping = 0;
      const counting: Clock = {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        external: (work) => clock.external(work),
        sleep: async (ms, signal) => {
          sleeping += 1;
          await clock.sleep(ms, signal).finally(() => (sleeping -= 1));
        },
      };
      const output = new FailingOutput((path) => path.endsWith(name));
      const tools = [workTool(counting)];
      const harness = createHarness({}, { tools, clock: counting, output });
      await harness.load({ tasks: tasks(20) });
      await expect(clock.run(() => harness.run())).rejects.toThrow('ENOSPC');
      await harness.close().catch(() => undefined); // it fails as the run did
      await macrotask();
      expect(sleeping).toBe(0);
    },
  );

  it.each(['run.json', 'report.md'])('%s rejects with what went wrong', async (name) => {
    const output = new FailingOutput((path) => path.endsWith(name));
    const { run } = await prepare({ lines: tasks(2), output });
    await expect(run()).rejects.toMatchObject({
      code: 'AGENTS_RUN_FAILED',
      cause: { code: 'AGENTS_OUTPUT_FAILED' },
    });
  });

  it('says in run.json that it failed, where that can still be written', async () => {
    const inner = new MemoryOutput();
    const output: Output = {
      isCongested: false,
      append: (path, record) => {
        if (path.endsWith('attempts.jsonl')) throw new OutputFailedError(path, new Error('EIO'));
        inner.append(path, record);
      },
      write: (path, text) => inner.write(path, text),
      flush: () => inner.flush(),
      close: () => inner.close(),
    };
    const { run } = await prepare({ lines: tasks(2), output });
    await expect(run()).rejects.toThrow('EIO');
    expect(jsonFile(inner, 'phase21/run.json')).toMatchObject({
      status: 'failed',
      error: { code: 'AGENTS_OUTPUT_FAILED' },
      unfinished_waves: [1],
    });
  });
});

describe('close', () => {
  it('ends a run that is under way: whoever waits for it hears so', async () => {
    const { harness, clock } = await prepare({ lines: tasks(2) });
    const ended = harness.run().catch((error: unknown) => error);
    await clock.advance(100);
    await harness.close();
    expect(await ended).toMatchObject({
      code: 'AGENTS_RUN_FAILED',
      message: expect.stringContaining('closed before it had ended'),
    });
  });

  it('is content with a harness that never ran', async () => {
    const { harness } = await prepare({ lines: tasks(2) });
    await expect(harness.close()).resolves.toBeUndefined();
  });

  it('leaves tasks that wait as they are', async () => {
    const { tool } = gatedTool();
    const { run, harness, output, clock } = await prepare({
      lines: [task('ask', { action: 'test.gated' })],
      makeTools: () => [tool],
    });
    await run();
    await harness.close();
    await clock.advance(1_000 * 3_600_000);
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'waiting' });
  });
});
