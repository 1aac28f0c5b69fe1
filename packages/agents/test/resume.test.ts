import {
  createEngine,
  createHarness,
  type Harness,
  MemoryOutput,
  type RunResult,
  type WorkflowStore,
} from '@buddy/agents';
import { ApprovalRequiredError, countingId, defineTool, ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { records, recordsNamed, task, TestFailure } from './harness-fixture.ts';
import { Remembered } from './remembered.ts';

/** Two waves with chains, a task that fails for good and what depends on it, retries, and one that needs approval. */
const LINES = [
  task('a1', { wave: 1 }),
  task('a2', { wave: 1, input: { failures: 2 } }),
  task('a3', { wave: 1, input: { failures: 9, isRetryable: false } }),
  task('a4', { wave: 1, depends_on: ['a1'] }),
  task('a5', { wave: 1, depends_on: ['a3'] }),
  task('a6', { wave: 1, action: 'test.gated' }),
  task('a7', { wave: 1, depends_on: ['a6'] }),
  task('b1', { wave: 2, depends_on: ['a2'] }),
  task('b2', { wave: 2, input: { failures: 1 } }),
  task('b3', { wave: 2, depends_on: ['a5'] }),
  task('b4', { wave: 2 }),
];

const LONG_ENOUGH_MS = 600_000;

interface Process {
  harness: Harness;
  output: MemoryOutput;
  clock: ManualClock;
  calls: string[];
  events: string[];
}

/** A process over what an earlier one left; approvals are kept elsewhere, and so outlive it. */
async function processOver(
  journal: Remembered,
  approved: Set<string>,
  {
    at,
    lines = LINES,
    store = journal.open(),
  }: { at?: number; lines?: readonly string[]; store?: WorkflowStore } = {},
): Promise<Process> {
  const clock = new ManualClock(at);
  const output = new MemoryOutput();
  const calls: string[] = [];
  const work = defineTool({
    name: 'test.work',
    description: 'Takes its time.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({
      failures: z.number().default(0),
      isRetryable: z.boolean().default(true),
    }),
    output: z.object({ done: z.boolean() }),
    execute: async ({ failures, isRetryable }, { attempt, taskId, idempotencyKey }) => {
      calls.push(`${taskId} ${attempt} ${idempotencyKey}`);
      await clock.sleep(1_000);
      if (attempt <= failures) throw new TestFailure('no', { retryable: isRetryable });
      return { done: true };
    },
  });
  const gated = defineTool({
    name: 'test.gated',
    description: 'Needs a person.',
    tier: 2,
    effect: 'keyed',
    input: z.unknown(),
    output: z.object({ done: z.boolean() }),
    execute: async (_input, { taskId = '', attempt, idempotencyKey }) => {
      calls.push(`${taskId} ${attempt} ${idempotencyKey}`);
      if (!approved.has(taskId)) throw new ApprovalRequiredError('test.gated', `ask-${taskId}`);
      return { done: true };
    },
  });
  const harness = createHarness(
    { agents: [{ id: 'ada' }, { id: 'bob' }], maxAttempts: 3 },
    {
      tools: [work, gated],
      clock,
      output,
      newId: countingId('run'),
      engine: createEngine({ clock, store }),
    },
  );
  const events: string[] = [];
  harness.events.on('taskSettled', ({ taskId }) => events.push(taskId));
  await harness.load({ tasks: lines });
  return { harness, output, clock, calls, events };
}

/** What became of the tasks, by the files: how often each ended in which way. */
function endsOf(output: MemoryOutput): Record<string, string[]> {
  const ends: Record<string, string[]> = {};
  for (const { task_id, status } of recordsNamed(output, 'outcomes.jsonl')) {
    (ends[String(task_id)] ??= []).push(String(status));
  }
  for (const statuses of Object.values(ends)) statuses.sort();
  return ends;
}

function gist({ counts, waves, waiting, unfinishedWaves }: RunResult) {
  return { counts, waves, waiting: waiting.map(({ taskId }) => taskId), unfinishedWaves };
}

async function tick(): Promise<undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  return undefined;
}

describe('a run that was interrupted', () => {
  it('is gone on with after a crash at any moment, and comes to the same end', async () => {
    const whole = new Remembered();
    const undisturbed = await processOver(whole, new Set());
    const expected = await undisturbed.clock.run(() => undisturbed.harness.run());
    expect(gist(expected)).toMatchObject({ waves: [1, 2], waiting: ['a6'] });
    const operations = whole.operations.length;
    expect(operations).toBeGreaterThan(60);
    for (let diesAfter = 1; diesAfter < operations; diesAfter++) {
      const journal = new Remembered();
      journal.diesAfter = diesAfter;
      const first = await processOver(journal, new Set());
      void first.harness.run();
      await first.clock.advance(LONG_ENOUGH_MS);
      journal.diesAfter = Infinity;
      const kept = journal.operations.flatMap((operation) =>
        operation.kind === 'recorded' ? [operation.key] : [],
      );
      const second = await processOver(journal, new Set(), { at: first.clock.now() });
      const isBegun = journal.operations.some(({ kind }) => kind === 'told');
      if (!isBegun) continue; // it died before anything was told: there is nothing to go on with
      const result = await second.clock.run(() => second.harness.resume());
      expect(gist(result)).toEqual(gist(expected));
      expect(endsOf(second.output)).toEqual(endsOf(undisturbed.output));
      for (const name of ['assignments.jsonl', 'attempts.jsonl']) {
        expect(recordsNamed(second.output, name)).toHaveLength(
          recordsNamed(undisturbed.output, name).length,
        );
      }
      expect([...second.output.files.keys()].toSorted()).toEqual(
        [...undisturbed.output.files.keys()].toSorted(),
      );
      // Nothing that was recorded is done again, and what is done again goes under the same key.
      for (const call of second.calls) {
        const [taskId = ''] = call.split(' ');
        const n = second.calls.filter((one) => one.startsWith(`${taskId} `)).indexOf(call);
        const before = kept.filter((key) => key.startsWith(`${taskId}/call/`)).length;
        expect(kept).not.toContain(`${taskId}/call/${before + n + 1}`);
      }
      const keys = new Set(
        [...first.calls, ...second.calls].map((call) => call.replace(/ \d+ /, ' ')),
      );
      expect(keys.size).toBe(
        new Set(undisturbed.calls.map((call) => call.replace(/ \d+ /, ' '))).size,
      );
    }
  });

  it.each([3_600_000, -3_600_000])(
    'is gone on with no later than ever where the clock was set by %s ms',
    async (jump) => {
      const undisturbed = await processOver(new Remembered(), new Set());
      const expected = await undisturbed.clock.run(() => undisturbed.harness.run());
      for (const afterMs of [500, 1_500, 2_500, 3_500]) {
        const journal = new Remembered();
        const first = await processOver(journal, new Set());
        void first.harness.run();
        await first.clock.advance(afterMs); // a task is under way, or backs off
        const second = await processOver(journal, new Set(), { at: first.clock.now() + jump });
        const result = await second.clock.run(() => second.harness.resume());
        expect(gist(result)).toEqual(gist(expected));
        expect(second.clock.monotonic()).toBeLessThanOrEqual(undisturbed.clock.monotonic());
      }
    },
  );

  it('is still waiting for the same people, and goes on when they have decided', async () => {
    const journal = new Remembered();
    const approved = new Set<string>();
    const first = await processOver(journal, approved);
    await first.clock.run(() => first.harness.run());
    await first.harness.close();
    const second = await processOver(journal, approved, { at: first.clock.now() });
    const waiting = await second.clock.run(() => second.harness.resume());
    expect(waiting.waiting).toEqual([{ taskId: 'a6', approvalId: 'ask-a6', why: 'approval' }]);
    expect(waiting.counts.waiting).toBe(2); // the other depends on it
    expect(second.events).toEqual([]); // listeners heard of the rest before
    approved.add('a6');
    const done = await second.clock.run(() => second.harness.decide('a6', { kind: 'proceed' }));
    expect(done).toMatchObject({ status: 'completed', waiting: [] });
    expect(second.events).toEqual(['a6', 'a7']);
    expect(endsOf(second.output)).toMatchObject({
      a6: ['completed', 'waiting'],
      a7: ['completed', 'waiting'],
    });
  });

  it('that was cancelled stays so', async () => {
    const journal = new Remembered();
    const first = await processOver(journal, new Set());
    const abort = new AbortController();
    void first.harness.run({ signal: abort.signal }).catch(() => undefined);
    await first.clock.advance(1_500);
    journal.diesAfter = journal.operations.length + 1; // that it was cancelled, and nothing more
    abort.abort(new Error('enough'));
    await tick();
    journal.diesAfter = Infinity;
    const second = await processOver(journal, new Set(), { at: first.clock.now() });
    const result = await second.clock.run(() => second.harness.resume());
    expect(result.status).toBe('cancelled');
    expect(result.counts.completed).toBeLessThan(4);
    expect(second.calls).toEqual([]);
  });

  it('can be cancelled while it is being started, and is', async () => {
    const clock = new ManualClock();
    const journal = new Remembered();
    const store = journal.open();
    const slow: WorkflowStore = {
      ...store,
      offer: (operation) => clock.sleep(1_000).then(() => store.offer(operation)),
    };
    const harness = createHarness(
      {},
      { tools: [], clock, engine: createEngine({ clock, store: slow }) },
    );
    await harness.load({ tasks: LINES });
    const abort = new AbortController();
    const result = await clock.run(async () => {
      const running = harness.run({ signal: abort.signal });
      await clock.sleep(500);
      abort.abort(new Error('enough'));
      return running;
    });
    expect(result.status).toBe('cancelled');
    expect(result.counts.completed).toBe(0);
  });

  it('is stopped by whoever cancels its workflow, and goes on when that cannot be kept', async () => {
    const journal = new Remembered();
    const store = journal.open();
    const refusal = Object.assign(new Error('no room'), { code: 'AGENTS_JOURNAL_WRITE' });
    let isFull = true;
    const { clock, harness } = await processOver(journal, new Set(), {
      store: {
        ...store,
        offer: (operation) =>
          isFull && operation.kind === 'cancelled'
            ? Promise.reject(refusal)
            : store.offer(operation),
      },
    });
    const result = await clock.run(async () => {
      const running = harness.run();
      await clock.sleep(500);
      await expect(harness.control.cancel('run-1', 'enough')).rejects.toBe(refusal);
      await clock.sleep(1_000);
      isFull = false;
      await harness.control.cancel('run-1', 'enough');
      return running;
    });
    expect(result.status).toBe('cancelled');
    expect(result.counts.completed).toBeGreaterThan(0);
    expect(result.counts.cancelled).toBeGreaterThan(0);
    const verdict = harness.control.signal('run-1/parked/a6/1', 'verdict', 'yes', { key: 'k' });
    await expect(verdict).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
  });

  it('is not gone on with when it is over, when there is none, and with other predictions', async () => {
    const misuse = { code: 'AGENTS_HARNESS_MISUSE' };
    const journal = new Remembered();
    const nothing = await processOver(journal, new Set());
    await expect(nothing.harness.resume()).rejects.toMatchObject({
      ...misuse,
      message: expect.stringContaining('no run to go on with'),
    });
    const first = await processOver(journal, new Set(['a6']));
    void first.harness.run();
    await first.clock.advance(1_500);
    const other = await processOver(journal, new Set(), { lines: [...LINES, task('c1')] });
    await expect(other.harness.resume()).rejects.toMatchObject({
      ...misuse,
      message: expect.stringContaining('other predictions'),
    });
    const second = await processOver(journal, new Set(['a6']), { at: first.clock.now() });
    expect(await second.clock.run(() => second.harness.resume())).toMatchObject({
      status: 'completed',
    });
    expect(records(second.output, 'phase21/events.jsonl').at(-1)).toMatchObject({
      event: 'runCompleted',
    });
    const late = await processOver(journal, new Set());
    await expect(late.harness.resume()).rejects.toMatchObject({
      ...misuse,
      message: expect.stringContaining('is over'),
    });
  });
});
