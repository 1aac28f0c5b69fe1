import { isDeepStrictEqual } from 'node:util';
import {
  createEngine,
  createHarness,
  type HarnessEvents,
  type TaskFailure,
  type WorkflowStore,
} from '@buddy/agents';
import { defineTool, ManualClock, markGoverned, silentLogger, type Tier } from '@buddy/core';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { z } from 'zod';
import {
  gatedTool,
  hashOf,
  jsonFile,
  Plan,
  prepare,
  records,
  recordsNamed,
  task,
  tasks,
  TestFailure,
  workTool,
} from './harness-fixture.ts';
import { Remembered } from './remembered.ts';

function toolOfTier(tier: Tier) {
  return defineTool({
    name: `test.tier${tier}`,
    description: 'Does nothing.',
    tier,
    input: z.unknown(),
    output: z.unknown(),
    execute: () => null,
  });
}

describe('a harness takes tools by their tier', () => {
  it('never one of tier 4, whatever it is told', () => {
    const tools = [toolOfTier(4)];
    expect(() => createHarness({ allowUngoverned: true }, { tools })).toThrow(
      expect.objectContaining({ code: 'AGENTS_TOOL_REFUSED', tools: ['test.tier4'] }),
    );
  });

  it('one of tier 3 only behind a gate, or when it is told that nothing real can happen', () => {
    const tool = toolOfTier(3);
    expect(() => createHarness({}, { tools: [tool] })).toThrow('need a gate: test.tier3');
    createHarness({}, { tools: [markGoverned(tool)] });
    createHarness({ allowUngoverned: true }, { tools: [tool] });
  });

  it('two of one name never', () => {
    const tools = [toolOfTier(1), toolOfTier(1)];
    expect(() => createHarness({}, { tools })).toThrow(
      expect.objectContaining({
        code: 'AGENTS_HARNESS_MISUSE',
        message: expect.stringContaining('test.tier1'),
      }),
    );
  });
});

describe('a harness tells what to do when it is asked for what it cannot do', () => {
  it('run twice', async () => {
    const { run } = await prepare({ lines: tasks(1) });
    await run();
    await expect(run()).rejects.toMatchObject({
      code: 'AGENTS_HARNESS_MISUSE',
      message: 'A harness runs once; make another for another run',
    });
  });

  it('run without anything loaded', async () => {
    const harness = createHarness({}, { tools: [] });
    await expect(harness.run()).rejects.toThrow('call load() first');
    await harness.load({ tasks: ['not a task\n'] });
    await expect(harness.run()).rejects.toThrow('at least one good line');
  });

  it('run waves that are not there', async () => {
    const { run } = await prepare({ input: { waves: { from: 7, to: 9 } }, lines: tasks(1) });
    await expect(run()).rejects.toThrow('No wave from 7 to 9 is loaded; there are 1');
  });

  it('be made with options that do not fit', () => {
    expect(() => createHarness({ waves: { from: 3, to: 2 } }, { tools: [] })).toThrow(
      '`from` must not come after `to`',
    );
    expect(() => createHarness({ agents: [{ id: 'a/b' }] }, { tools: [] })).toThrow(
      'letters, digits',
    );
    expect(() => createHarness({ agents: [{ id: 'a' }, { id: 'a' }] }, { tools: [] })).toThrow(
      'different ids',
    );
    expect(() => createHarness({ maxAttempts: 0 }, { tools: [] })).toThrow('maxAttempts');
    // @ts-expect-error: a misspelt option
    expect(() => createHarness({ maxTries: 3 }, { tools: [] })).toThrow('maxTries');
  });
});

describe('a run', () => {
  it('does only the waves it is told to, and takes what lies outside as done', async () => {
    const { run, output } = await prepare({
      input: { waves: { from: 2, to: 3 } },
      lines: tasks(4, (at) => ({ wave: at + 1, depends_on: at === 0 ? [] : [`t${at - 1}`] })),
    });
    expect(await run()).toMatchObject({ tasks: 2, waves: [2, 3], counts: { completed: 2 } });
    expect(records(output, 'phase21/events.jsonl')[0]).toMatchObject({
      event: 'runStarted',
      waves: [2, 3],
    });
  });

  it('skips what it has no tool for, and programs while there is no sandbox', async () => {
    const { run, output } = await prepare({
      lines: [
        task('odd', { action: 'no.such.tool' }),
        `${JSON.stringify({ task_id: 'code', predicted_success_probability: 0.5, code: '1 + 1' })}\n`,
      ],
    });
    expect(await run()).toMatchObject({ counts: { skipped: 2 } });
    expect(
      recordsNamed(output, 'outcomes.jsonl').map((record) => [
        record['task_id'],
        record['action'],
        record['error_message'],
      ]),
    ).toEqual([
      ['odd', 'no.such.tool', 'no tool is named no.such.tool'],
      ['code', 'sandbox.run', 'no sandbox'],
    ]);
  });

  it('hands tasks that name no action to the default one, with id and probability', async () => {
    const inputs: unknown[] = [];
    const tool = defineTool({
      name: 'test.default',
      description: 'Stands in.',
      tier: 1,
      input: z.unknown(),
      output: z.unknown(),
      execute: (input) => {
        inputs.push(input);
        return null;
      },
    });
    const line = '{"task_id":"t","predicted_success_probability":0.83}\n';
    const { run } = await prepare({
      input: { defaultAction: 'test.default' },
      lines: [line],
      makeTools: () => [tool],
    });
    expect(await run()).toMatchObject({ counts: { completed: 1 } });
    expect(inputs).toEqual([{ taskId: 't', successProbability: 0.83 }]);
    const without = await prepare({ lines: [line, task('good')] });
    expect(without.harness.manager.loaded.problems).toMatchObject([
      { kind: 'BAD_LINE', path: 'action' },
    ]);
  });

  it('asks the healer when a task has failed for good, and tries once more when it says so', async () => {
    const failures: TaskFailure[] = [];
    const { run, output } = await prepare({
      input: { maxAttempts: 2 },
      lines: [
        task('mended', { input: { failures: 2 } }),
        task('hopeless', { input: { failures: 9 } }),
        task('fine'),
      ],
      heal: async (failure) => {
        failures.push(failure);
        return { isHealed: failure.taskId === 'mended' };
      },
    });
    expect(await run()).toMatchObject({ counts: { completed: 2, failed: 1 } });
    expect(
      failures.map(({ taskId, attempts, failure }) => [taskId, attempts, failure.code]),
    ).toEqual(
      expect.arrayContaining([
        ['mended', 2, 'TEST_FAILED'],
        ['hopeless', 2, 'TEST_FAILED'],
      ]),
    );
    expect(recordsNamed(output, 'outcomes.jsonl')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ task_id: 'mended', status: 'completed', is_healed: true }),
        expect.objectContaining({ task_id: 'hopeless', status: 'failed', is_healed: false }),
        expect.objectContaining({ task_id: 'fine', is_healed: false }),
      ]),
    );
  });

  it('survives a healer that breaks, and tells what broke', async () => {
    const { run, harness } = await prepare({
      lines: [task('t', { input: { failures: 9, isRetryable: false } })],
      heal: () => Promise.reject(new Error('the healer is ill')),
    });
    const healings: unknown[] = [];
    harness.events.on('healingEnded', (event) => healings.push(event));
    expect(await run()).toMatchObject({ status: 'completed', counts: { failed: 1 } });
    const failure = expect.objectContaining({ message: 'the healer is ill' });
    expect(healings).toEqual([expect.objectContaining({ taskId: 't', isHealed: false, failure })]);
  });

  it('gives an agent that turned out slow less to do in the next wave', async () => {
    const { run, output } = await prepare({
      input: { agents: [{ id: 'fast' }, { id: 'slow' }] },
      lines: tasks(120, (at) => ({ wave: 1 + (at % 2) })),
      makeTools: (clock) => [
        defineTool({
          name: 'test.work',
          description: 'Works.',
          tier: 1,
          effect: 'pure',
          input: z.unknown(),
          output: z.unknown(),
          execute: async (_input, { actor, signal }) => {
            await clock.sleep(actor.id === 'slow' ? 4_000 : 1_000, signal);
            return null;
          },
        }),
      ],
    });
    await run();
    const planned = (wave: number) =>
      Plan.parse(jsonFile(output, `phase21/wave_${wave}/plan.json`)).agents.map(
        ({ agent_id: id, speed, task_ids: ids }) => ({ id, speed, count: ids.length }),
      );
    expect(planned(1)).toEqual([
      { id: 'fast', speed: 1, count: 30 },
      { id: 'slow', speed: 1, count: 30 },
    ]);
    const [fast, slow] = planned(2);
    expect(slow?.count).toBeLessThan(20);
    expect(Number(fast?.speed) / Number(slow?.speed)).toBeGreaterThan(2.5);
  });

  it('plans the next wave with probabilities that it has learnt to correct', async () => {
    const { run, output } = await prepare({
      // Promised .95, kept in half of the cases.
      lines: tasks(400, (at) => ({
        wave: 1 + (at % 2),
        predicted_success_probability: 0.95,
        input: { failures: at % 4 < 2 ? 0 : 9, isRetryable: false },
      })),
    });
    await run();
    const outcomes = recordsNamed(output, 'outcomes.jsonl');
    const calibrated = (wave: number) => [
      ...new Set(
        outcomes
          .filter((record) => record['wave'] === wave)
          .map((record) => Number(record['calibrated_success_probability'])),
      ),
    ];
    expect(calibrated(1)).toEqual([0.95]);
    expect(calibrated(2)).toHaveLength(1);
    expect(calibrated(2)[0]).toBeGreaterThan(0.4);
    expect(calibrated(2)[0]).toBeLessThan(0.65);
    expect(outcomes.every((record) => record['predicted_success_probability'] === 0.95)).toBe(true);
  });
});

describe('the events of a run', () => {
  const NAMES = [
    'runStarted',
    'waveStarted',
    'taskStarted',
    'taskRetrying',
    'taskWaiting',
    'taskSettled',
    'anomalyDetected',
    'healthChanged',
    'feedbackWritten',
    'waveCompleted',
    'runCompleted',
  ] as const satisfies readonly (keyof HarnessEvents)[];

  it('come in order, each with its time and run', async () => {
    const { tool } = gatedTool();
    const { run, harness, clock } = await prepare({
      lines: [
        task('flaky', { input: { failures: 1 } }),
        task('ask', { action: 'test.gated' }),
        ...tasks(30, () => ({ input: { failures: 9, isRetryable: false } })),
      ],
      makeTools: (time) => [workTool(time), tool],
    });
    const seen: { name: string; at: number; runId: string }[] = [];
    for (const name of NAMES) {
      harness.events.on(name, ({ at, runId }: { at: number; runId: string }) =>
        seen.push({ name, at, runId }),
      );
    }
    await run();
    expect(seen.map(({ name }) => name)).toEqual(expect.arrayContaining([...NAMES]));
    expect(seen.every(({ runId }) => runId === 'run-1')).toBe(true);
    expect(seen.map(({ at }) => at)).toEqual(seen.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(seen.at(-1)?.at).toBe(clock.now());
    const order = seen.map(({ name }) => name);
    expect(order.slice(0, 2)).toEqual(['runStarted', 'waveStarted']);
    expect(order.slice(-3)).toEqual(['feedbackWritten', 'waveCompleted', 'runCompleted']);
  });

  it('tell of what has happened: the files have it already', async () => {
    const { run, harness, output } = await prepare({ lines: tasks(3) });
    const missing: string[] = [];
    harness.events.on('taskSettled', ({ outcome: { taskId } }) => {
      const isThere = recordsNamed(output, 'outcomes.jsonl').some(
        (record) => record['task_id'] === taskId,
      );
      if (!isThere) missing.push(taskId);
    });
    harness.events.on('waveCompleted', ({ wave }) => {
      if (!output.files.has(`phase21/wave_${wave}/metrics.json`)) missing.push(`wave ${wave}`);
    });
    harness.events.on('runCompleted', () => {
      if (!output.files.has('phase21/report.md')) missing.push('report');
    });
    await run();
    expect(missing).toEqual([]);
  });

  it('hand on what the tool returned, and what became of the task', async () => {
    const { run, harness } = await prepare({
      lines: [task('good'), task('bad', { input: { failures: 9, isRetryable: false } })],
    });
    const settled: unknown[] = [];
    harness.events.on('taskSettled', ({ outcome, output }) => {
      expectTypeOf(output).toBeUnknown();
      settled.push([outcome.taskId, outcome.status, output]);
    });
    await run();
    expect(settled).toEqual([
      ['good', 'completed', { done: true }],
      ['bad', 'failed', null],
    ]);
  });

  it('do not let a listener that throws into the run: the log is told, and the files are the same', async () => {
    const errors: unknown[] = [];
    const quiet = await prepare({ lines: tasks(6, (at) => ({ input: { failures: at % 2 } })) });
    await quiet.run();
    const loud = await prepare({
      lines: tasks(6, (at) => ({ input: { failures: at % 2 } })),
      logger: { ...silentLogger, error: (fields: unknown) => errors.push(fields) },
    });
    for (const name of NAMES) {
      loud.harness.events.on(name, () => {
        throw new TestFailure(`${name} was too much`);
      });
    }
    await loud.run();
    expect(hashOf(loud.output.files)).toBe(hashOf(quiet.output.files));
    expect(errors).toContainEqual({
      err: expect.objectContaining({ message: 'taskSettled was too much' }),
      event: 'taskSettled',
    });
  });

  it('are typed by name', async () => {
    const { harness } = await prepare({ lines: tasks(1) });
    // @ts-expect-error: there is no such event
    harness.events.on('taskCompleted', () => undefined);
    harness.events.on('waveCompleted', (event) => {
      expectTypeOf(event.wave).toEqualTypeOf<number>();
    });
  });
});

describe('what passes through the durable verbs', () => {
  it('is JSON: it comes back from a journal as it went in', async () => {
    const clock = new ManualClock();
    const changed: string[] = [];
    const largest = { bytes: 0 };
    const journal = new Remembered();
    const { stringify } = JSON;
    const put = vi.spyOn(JSON, 'stringify').mockImplementation((value: unknown, ...others) => {
      const text: string = Reflect.apply(stringify, JSON, [value, ...others]);
      if (others.length === 0 && !isDeepStrictEqual(JSON.parse(text), withoutUndefined(value))) {
        changed.push(text);
      }
      return text;
    });
    const store: WorkflowStore = {
      ...journal.open(),
      keep: (operation) => {
        for (const text of Object.values(operation)) {
          largest.bytes = Math.max(largest.bytes, String(text).length);
        }
        return journal.open().keep(operation);
      },
    };
    const { tool } = gatedTool({ approvals: 2 });
    const { run, harness } = await prepare({
      clock,
      input: { agents: [{ id: 'ada', capacity: 2 }, { id: 'ben' }], maxAttempts: 2 },
      engine: createEngine({ clock, store }),
      lines: [
        ...tasks(20, (at) => ({ input: { failures: at % 4 }, wave: 1 + (at % 2) })),
        task('ask', { action: 'test.gated' }),
        task('next', { depends_on: ['ask'] }),
        task('odd', { action: 'no.such.tool' }),
        task('slow', { input: { ms: 120_000 } }),
      ],
      makeTools: (time) => [workTool(time), tool],
      heal: async ({ taskId }) => ({ isHealed: taskId === 't2' }),
    });
    await run();
    await clock.run(() => harness.decide('ask', { kind: 'proceed' }));
    const last = await clock.run(() => harness.decide('ask', { kind: 'deny', explanation: 'no' }));
    expect(last).toMatchObject({ status: 'completed', counts: { timed_out: 1, denied: 1 } });
    put.mockRestore();
    expect(changed).toEqual([]);
    expect(largest.bytes).toBeGreaterThan(0);
    expect(largest.bytes).toBeLessThan(256 * 1024);
  });
});

/** A field that is undefined is one that is not there. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutUndefined(field)]));
}
