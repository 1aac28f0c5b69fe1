import { defineTool, type Tool } from '@buddy/core';
import { createHarness, HarnessOptions, type RunResult } from '@buddy/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  gatedTool,
  jsonFile,
  prepare,
  recordsNamed,
  task,
  TestFailure,
  workTool,
} from './harness-fixture.ts';

/** A tool of effect `once` whose calls are always in doubt. */
function inDoubt(reconcile: () => Promise<unknown>): Tool {
  const tool = defineTool({
    name: 'test.work',
    description: 'Loses its answers.',
    tier: 1,
    effect: 'once',
    input: z.unknown(),
    output: z.object({ id: z.string() }),
    execute: () => {
      throw new TestFailure('lost', { retryable: true, effect: 'unknown' });
    },
  });
  return Object.assign({ ...tool }, { reconcile }); // as a tool written in JavaScript may have it
}

describe('tasks that are freed late', () => {
  it('are done and counted, though their wave has ended', async () => {
    const { tool } = gatedTool();
    const { harness, run, output } = await prepare({
      input: { agents: [{ id: 'x' }] },
      lines: [
        task('P', { action: 'test.gated' }),
        task('D1', { depends_on: ['P'], input: { ms: 30_000 } }),
        task('D2', { depends_on: ['P'] }),
        task('L', { wave: 2 }),
      ],
      makeTools: (clock) => [tool, workTool(clock)],
    });
    harness.events.on('taskWaiting', () => void harness.decide('P', { kind: 'proceed' }));
    const result = await run();
    expect(result).toMatchObject({ status: 'completed', tasks: 4, counts: { completed: 4 } });
    const settled = recordsNamed(output, 'outcomes.jsonl').filter(
      ({ status }) => status === 'completed',
    );
    expect(new Set(settled.map(({ task_id: id }) => id))).toEqual(new Set(['D1', 'D2', 'L', 'P']));
    expect(settled).toHaveLength(4);
  });

  it('are waited for when a verdict expires while another is carried out', async () => {
    const { tool } = gatedTool();
    const { harness, run, clock, output } = await prepare({
      input: { agents: [{ id: 'x' }], verdictTimeoutMs: 5_000 },
      lines: [
        task('P', { action: 'test.gated', input: { ms: 4_000 } }),
        task('Q', { action: 'test.gated' }),
        task('D1', { depends_on: ['P'], input: { ms: 30_000 } }),
        task('D2', { depends_on: ['P'], input: { ms: 30_000 } }),
      ],
      makeTools: (ofRun) => [tool, workTool(ofRun)],
    });
    expect(await run()).toMatchObject({ status: 'waiting' });
    const result: RunResult = await clock.run(() => harness.decide('P', { kind: 'proceed' }));
    expect(result.counts).toMatchObject({ waiting: 0, completed: 3, denied: 1 });
    expect(result.status).toBe('completed');
    expect(jsonFile(output, 'phase21/run.json')).toMatchObject({ status: 'completed' });
  });
});

describe('a provider that is asked what happened', () => {
  it.each([
    [
      'asks to be left alone for years',
      () => Promise.reject(new TestFailure('busy', { retryable: true, retryAfterMs: 1e11 })),
    ],
    ['fails for good', () => Promise.reject(new TestFailure('gone'))],
    ['answers out of shape', async () => ({ id: 'c1' })],
    ['answers with what the tool never returns', async () => ({ happened: true, output: 'c1' })],
  ])('and %s leaves it to a person', async (_what, reconcile) => {
    const { run, clock } = await prepare({
      lines: [task('t')],
      makeTools: () => [inDoubt(reconcile)],
    });
    const began = clock.now();
    expect(await run()).toMatchObject({ status: 'waiting', waiting: [{ why: 'indeterminate' }] });
    expect(clock.now() - began).toBeLessThan(60_000);
  });
});

describe('hostile input', () => {
  it.each([
    [
      'a duration that swamps every sum',
      { predicted_execution_time: 1e306 },
      'predicted_execution_time',
    ],
    ['an id that is no Unicode', { task_id: 'a\ud800' }, 'task_id'],
  ])('%s is a bad line, and the rest is done', async (_what, fields, path) => {
    const { harness, run } = await prepare({
      lines: [task('bad', fields), task('good', { predicted_execution_time: undefined })],
    });
    expect(harness.manager.loaded.problems).toMatchObject([{ kind: 'BAD_LINE', path }]);
    expect(await run()).toMatchObject({ counts: { completed: 1 } });
  });

  it('cannot be written on by a tool: each try is handed what the file says', async () => {
    const seen: unknown[] = [];
    const { run, output } = await prepare({
      lines: [task('t', { input: { list: [] } })],
      makeTools: () => [
        defineTool({
          name: 'test.work',
          description: 'Writes on what it is handed.',
          tier: 1,
          effect: 'pure',
          input: z.any(),
          output: z.unknown(),
          execute: (input) => {
            seen.push(structuredClone(input));
            input.list.push('x');
          },
        }),
      ],
    });
    expect(await run()).toMatchObject({ counts: { failed: 1 } });
    expect(seen).toEqual([{ list: [] }]);
    const [outcome] = recordsNamed(output, 'outcomes.jsonl');
    expect(outcome?.['error_message']).toContain('not extensible');
  });

  it.each(['plan.json', 'Unassigned', 'con', 'a.', '../x', ''])('%j is no agent id', (id) => {
    expect(HarnessOptions.safeParse({ agents: [{ id }] }).success).toBe(false);
  });

  it('has no two agents that differ in case only', () => {
    expect(() => createHarness({ agents: [{ id: 'Ada' }, { id: 'ada' }] }, { tools: [] })).toThrow(
      'different ids',
    );
  });
});

describe('a harness that has run', () => {
  it('does not load anything more', async () => {
    const { harness, run } = await prepare({ lines: [task('t')] });
    let refused: unknown;
    harness.events.on('waveStarted', () => {
      harness.load({ tasks: [task('z')] }).catch((error: unknown) => (refused = error));
    });
    await run();
    expect(refused).toMatchObject({ code: 'AGENTS_HARNESS_MISUSE' });
  });

  it('is cancelled for whatever reason it is given', async () => {
    const { harness, run } = await prepare({ lines: [task('t')] });
    const aborted = new AbortController();
    harness.events.on('taskStarted', () => aborted.abort(Object.create(null)));
    expect(await run({ signal: aborted.signal })).toMatchObject({ status: 'cancelled' });
  });
});
