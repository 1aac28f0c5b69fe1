import type { Harness, RunResult } from '@buddy/agents';
import { BuddyError, defineTool, ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  gatedTool,
  jsonFile,
  type Prepared,
  prepare,
  records,
  recordsNamed,
  task,
  workTool,
} from './harness-fixture.ts';

const HOUR_MS = 3_600_000;

async function gated(
  lines: readonly string[],
  options: { approvals?: number; input?: object } = {},
): Promise<Prepared & { done: string[] }> {
  const { tool, done } = gatedTool(options);
  const prepared = await prepare({
    input: { agents: [{ id: 'ada' }], ...options.input },
    lines,
    makeTools: (clock) => [workTool(clock), tool],
  });
  return { ...prepared, done };
}

const needsYes = (id: string, fields: object = {}) => task(id, { action: 'test.gated', ...fields });

/** `decide`, in a run that costs no time. */
const decide = (clock: ManualClock, harness: Harness, ...what: Parameters<Harness['decide']>) =>
  clock.run(() => harness.decide(...what));

describe('a task whose tool needs approval', () => {
  it('waits in a place of its own: its agent goes on, and the run resolves as waiting', async () => {
    const { run, harness, output } = await gated([
      needsYes('ask', { priority: 9 }),
      ...Array.from({ length: 4 }, (_, at) => task(`t${at}`)),
      task('later', { wave: 2 }),
    ]);
    const waited: unknown[] = [];
    harness.events.on('taskWaiting', ({ taskId, why, approvalId }) =>
      waited.push({ taskId, why, approvalId }),
    );
    const result = await run();
    expect(result).toMatchObject({
      status: 'waiting',
      tasks: 6,
      counts: { completed: 5, waiting: 1 },
      waves: [1, 2],
      unfinishedWaves: [],
      waiting: [{ taskId: 'ask', approvalId: 'approval-ask-1', why: 'approval' }],
    });
    expect(waited).toEqual([{ taskId: 'ask', why: 'approval', approvalId: 'approval-ask-1' }]);
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({
      status: 'waiting',
      waiting: [{ task_id: 'ask', approval_id: 'approval-ask-1', why: 'approval' }],
    });
    expect(recordsNamed(output, 'attempts.jsonl')).toContainEqual(
      expect.objectContaining({ task_id: 'ask', status: 'waiting' }),
    );
    expect(output.files.get('phase21/report.md')).toContain('`ask`');
  });

  it('is done once a person agrees, under the same key, and all files tell so', async () => {
    const { run, harness, output, clock, done } = await gated([needsYes('ask'), task('t0')]);
    await run();
    const results: RunResult[] = [];
    harness.events.on('runCompleted', ({ result }) => results.push(result));
    const result = await decide(clock, harness, 'ask', { kind: 'proceed' });
    expect(done).toEqual(['ask']);
    expect(result).toMatchObject({
      status: 'completed',
      tasks: 2,
      counts: { completed: 2, waiting: 0 },
      waiting: [],
    });
    expect(results).toEqual([result]);
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({
      status: 'completed',
      counts: { completed: 2, waiting: 0 },
      waiting: [],
    });
    expect(
      recordsNamed(output, 'outcomes.jsonl').map((record) => [record['task_id'], record['status']]),
    ).toEqual([
      ['ask', 'waiting'],
      ['t0', 'completed'],
      ['ask', 'completed'],
    ]);
  });

  it('is counted once in every table of the report, when it has been decided', async () => {
    const { run, harness, output, clock } = await gated([needsYes('ask'), task('t0')]);
    await run();
    const before = output.files.get('phase21/report.md') ?? '';
    expect(before).toContain('| 1 | 2 | 1 | 0 | 0 | 0 | 0 | 0 | 1 |');
    await decide(clock, harness, 'ask', { kind: 'proceed' });
    const after = output.files.get('phase21/report.md') ?? '';
    expect(after).toContain('| 1 | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 0 |');
    expect(after).toContain('| `test.gated` | 1 | 1 |');
    expect(after).not.toContain('CORE_APPROVAL_REQUIRED');
  });

  it.each([
    ['deny', { kind: 'deny', explanation: 'not this customer' }, 'denied', 'not this customer'],
    ['completed', { kind: 'completed' }, 'completed', null],
    ['failed', { kind: 'failed', explanation: 'it bounced' }, 'failed', 'it bounced'],
  ] as const)('ends as a person says: %s', async (_name, verdict, status, message) => {
    const { run, harness, output, clock, done } = await gated([needsYes('ask')]);
    await run();
    const result = await decide(clock, harness, 'ask', verdict);
    expect(done).toEqual([]); // nobody agreed to doing it
    expect(result).toMatchObject({ status: 'completed', counts: { [status]: 1, waiting: 0 } });
    expect(records(output, 'phase21/wave_1/ada/outcomes.jsonl').at(-1)).toMatchObject({
      status,
      error_message: message,
    });
  });

  it('may have to wait again', async () => {
    const { run, harness, clock, done } = await gated([needsYes('ask')], { approvals: 2 });
    await run();
    const again = await decide(clock, harness, 'ask', { kind: 'proceed' });
    expect(again).toMatchObject({
      status: 'waiting',
      tasks: 1,
      counts: { waiting: 1, completed: 0 },
      waiting: [{ taskId: 'ask', approvalId: 'approval-ask-2' }],
    });
    expect(done).toEqual([]);
    expect(await decide(clock, harness, 'ask', { kind: 'proceed' })).toMatchObject({
      status: 'completed',
      counts: { waiting: 0, completed: 1 },
    });
  });

  it('holds what depends on it, in its own wave and in later ones, and frees it', async () => {
    const { run, harness, clock } = await gated([
      needsYes('ask'),
      task('next', { depends_on: ['ask'] }),
      task('last', { depends_on: ['next'], wave: 2 }),
      task('other', { wave: 2 }),
    ]);
    expect(await run()).toMatchObject({
      status: 'waiting',
      tasks: 4,
      counts: { waiting: 3, completed: 1 },
    });
    expect(await decide(clock, harness, 'ask', { kind: 'proceed' })).toMatchObject({
      status: 'completed',
      tasks: 4,
      counts: { waiting: 0, completed: 4 },
    });
  });

  it('takes what depends on it along when it is denied', async () => {
    const { run, harness, clock, output } = await gated([
      needsYes('ask'),
      task('next', { depends_on: ['ask'] }),
      task('last', { depends_on: ['next'], wave: 2 }),
    ]);
    await run();
    const result = await decide(clock, harness, 'ask', { kind: 'deny', explanation: 'no' });
    expect(result).toMatchObject({ status: 'completed', counts: { denied: 1, skipped: 2 } });
    expect(records(output, 'phase21/wave_2/unassigned/outcomes.jsonl').at(-1)).toMatchObject({
      error_message: 'It depends on next, which is skipped',
    });
  });

  it('does not hold up another task that was freed with it', async () => {
    const { run, harness, clock } = await gated([
      needsYes('ask'),
      needsYes('first', { depends_on: ['ask'], priority: 9 }),
      task('second', { depends_on: ['ask'] }),
    ]);
    await run();
    expect(await decide(clock, harness, 'ask', { kind: 'proceed' })).toMatchObject({
      status: 'waiting',
      counts: { completed: 2, waiting: 1 },
      waiting: [{ taskId: 'first' }],
    });
  });

  it('can be decided while the run goes on, from a listener too', async () => {
    const { run, harness, done, output } = await gated([
      needsYes('ask'),
      task('next', { depends_on: ['ask'] }),
      ...Array.from({ length: 5 }, (_, at) => task(`t${at}`)),
    ]);
    const decided: Promise<RunResult>[] = [];
    harness.events.on('taskWaiting', ({ taskId }) =>
      decided.push(harness.decide(taskId, { kind: 'proceed' })),
    );
    const result = await run();
    expect(result).toMatchObject({ status: 'completed', tasks: 7, counts: { completed: 7 } });
    expect(done).toEqual(['ask']);
    expect(await Promise.all(decided)).toEqual([result]);
    // What was freed was done by the agents of the wave, before it was closed.
    const events = records(output, 'phase21/events.jsonl').map(({ event }) => event);
    expect(events.lastIndexOf('taskSettled')).toBeLessThan(events.indexOf('waveCompleted'));
  });

  it('is waited for when it was decided at once and takes longer than all the rest', async () => {
    const clock = new ManualClock();
    const { tool, done } = gatedTool({ work: () => clock.sleep(50_000) });
    const { run, harness } = await prepare({
      lines: [needsYes('ask'), task('t0')],
      clock,
      makeTools: () => [workTool(clock), tool],
    });
    harness.events.on('taskWaiting', ({ taskId }) => {
      void harness.decide(taskId, { kind: 'proceed' });
    });
    expect(await run()).toMatchObject({ status: 'completed', counts: { completed: 2 } });
    expect(done).toEqual(['ask']);
  });

  it('can be decided the moment the run is told as complete, and the answer is not the old one', async () => {
    const { run, harness, clock } = await gated([needsYes('ask')]);
    let decided: Promise<RunResult> | undefined;
    harness.events.on('runCompleted', ({ result }) => {
      if (result.status === 'waiting') decided = harness.decide('ask', { kind: 'completed' });
    });
    await run();
    expect(await clock.run(async () => decided)).toMatchObject({
      status: 'completed',
      counts: { completed: 1, waiting: 0 },
    });
  });

  it('counts two clicks of one button as one', async () => {
    const { run, harness, clock, done } = await gated([needsYes('ask')], { approvals: 2 });
    await run();
    const [first, second] = await clock.run(() =>
      Promise.allSettled([
        harness.decide('ask', { kind: 'proceed' }),
        harness.decide('ask', { kind: 'proceed' }),
      ]),
    );
    expect(first).toMatchObject({ status: 'fulfilled', value: { status: 'waiting' } });
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'AGENTS_HARNESS_MISUSE', message: expect.stringContaining('already') },
    });
    expect(done).toEqual([]);
  });

  it('is never approved by waiting: when the time is up it is denied, and the files tell', async () => {
    const { run, harness, clock, output, done } = await gated(
      [needsYes('ask'), task('next', { depends_on: ['ask'] })],
      { input: { verdictTimeoutMs: 2 * HOUR_MS } },
    );
    await run();
    const told = new Promise<RunResult>((resolve) => {
      harness.events.on('runCompleted', ({ result }) => resolve(result));
    });
    await clock.advance(HOUR_MS);
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'waiting' });
    await clock.advance(HOUR_MS);
    expect(await told).toMatchObject({
      status: 'completed',
      counts: { denied: 1, skipped: 1, waiting: 0 },
    });
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'completed' });
    expect(done).toEqual([]);
    await expect(harness.decide('ask', { kind: 'proceed' })).rejects.toThrow('does not wait');
  });

  it('is told apart from one that nobody asked about', async () => {
    const { run, harness } = await gated([needsYes('ask'), task('t0')]);
    await expect(harness.decide('ask', { kind: 'proceed' })).rejects.toThrow('waiting: none');
    await run();
    await expect(harness.decide('t0', { kind: 'proceed' })).rejects.toMatchObject({
      code: 'AGENTS_HARNESS_MISUSE',
      message: 'Task t0 does not wait for anybody; waiting: ask',
    });
  });

  it('takes no verdict that is none, for it may come from a form', async () => {
    const { run, harness, clock } = await gated([needsYes('ask')]);
    await run();
    // @ts-expect-error: no such verdict
    await expect(harness.decide('ask', { kind: 'yes' })).rejects.toMatchObject({
      code: 'CORE_INVALID_INPUT',
      message: expect.stringContaining('verdict on task ask'),
    });
    // @ts-expect-error: a no needs a reason
    await expect(harness.decide('ask', { kind: 'deny' })).rejects.toThrow('explanation');
    await expect(harness.decide('ask', { kind: 'deny', explanation: '' })).rejects.toThrow('why');
    expect(await decide(clock, harness, 'ask', { kind: 'completed' })).toMatchObject({
      status: 'completed',
    });
  });
});

describe('a call that may have happened and must not happen twice', () => {
  class LostAnswerError extends BuddyError {
    readonly code = 'TEST_LOST_ANSWER';
  }

  const sendOnce = defineTool({
    name: 'test.send',
    description: 'Sends.',
    tier: 2,
    effect: 'once',
    input: z.unknown(),
    output: z.unknown(),
    execute: () => {
      throw new LostAnswerError('no answer', { retryable: true, effect: 'unknown' });
    },
  });

  it('waits for a person, who may know', async () => {
    const { run, harness, clock } = await prepare({
      lines: [task('mail', { action: 'test.send' })],
      makeTools: () => [sendOnce],
    });
    expect(await run()).toMatchObject({
      status: 'waiting',
      waiting: [{ taskId: 'mail', approvalId: null, why: 'indeterminate' }],
    });
    expect(await decide(clock, harness, 'mail', { kind: 'completed' })).toMatchObject({
      status: 'completed',
      counts: { completed: 1, waiting: 0 },
    });
  });

  it('counts as failed, not as done, when nobody says in time', async () => {
    const { run, harness, clock } = await prepare({
      lines: [task('mail', { action: 'test.send' })],
      makeTools: () => [sendOnce],
    });
    await run();
    const told = new Promise<RunResult>((resolve) => {
      harness.events.on('runCompleted', ({ result }) => resolve(result));
    });
    await clock.advance(72 * HOUR_MS);
    expect(await told).toMatchObject({ counts: { failed: 1, waiting: 0 } });
  });
});
