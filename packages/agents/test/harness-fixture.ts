import { createHash } from 'node:crypto';
import {
  createHarness,
  type Engine,
  type Harness,
  type HarnessInput,
  type HarnessPorts,
  MemoryOutput,
  type RunResult,
  type WorkflowView,
} from '@buddy/agents';
import {
  ApprovalRequiredError,
  BuddyError,
  type Clock,
  countingId,
  defineTool,
  ManualClock,
  type Tool,
} from '@buddy/core';
import { z } from 'zod';

/** One line of predictions for the tool `test.work`; what is not said is usual. */
export function task(id: string, fields: object = {}): string {
  return `${JSON.stringify({
    task_id: id,
    predicted_success_probability: 0.8,
    predicted_execution_time: 1,
    action: 'test.work',
    input: {},
    ...fields,
  })}\n`;
}

export function tasks(count: number, fields: (at: number) => object = () => ({})): string[] {
  return Array.from({ length: count }, (_, at) => task(`t${at}`, fields(at)));
}

export class TestFailure extends BuddyError {
  readonly code = 'TEST_FAILED';
}

/** Takes the time it is told on the clock, then does as it is told. */
export function workTool(clock: Clock) {
  return defineTool({
    name: 'test.work',
    description: 'Takes its time.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({
      ms: z.number().default(1_000),
      /** How many attempts fail first. */
      failures: z.number().default(0),
      isRetryable: z.boolean().default(true),
    }),
    output: z.object({ done: z.boolean() }),
    execute: async ({ ms, failures, isRetryable }, { signal, attempt }) => {
      await clock.sleep(ms, signal);
      if (attempt <= failures) {
        throw new TestFailure('it did not work', { retryable: isRetryable });
      }
      return { done: true };
    },
  });
}

/** A gate as governance will be: asks a person, once or more, before it lets the call through. */
export function gatedTool({
  approvals = 1,
  work = () => Promise.resolve(),
}: { approvals?: number; work?: () => Promise<void> } = {}) {
  const asked = new Map<string, number>();
  const done: string[] = [];
  const tool = defineTool({
    name: 'test.gated',
    description: 'Needs a person.',
    tier: 2,
    input: z.unknown(),
    output: z.object({ done: z.boolean() }),
    execute: async (_input, { taskId = '', idempotencyKey }) => {
      const times = asked.get(idempotencyKey) ?? 0;
      if (times < approvals) {
        asked.set(idempotencyKey, times + 1);
        throw new ApprovalRequiredError('test.gated', `approval-${taskId}-${times + 1}`);
      }
      await work();
      done.push(taskId);
      return { done: true };
    },
  });
  return { tool, done };
}

export interface Setup extends Partial<Omit<HarnessPorts, 'clock'>> {
  input?: HarnessInput;
  lines: readonly string[];
  schedule?: readonly string[];
  clock?: ManualClock;
  makeTools?: (clock: Clock) => readonly Tool[];
}

export interface Prepared {
  harness: Harness;
  output: MemoryOutput;
  clock: ManualClock;
  run: (options?: { signal?: AbortSignal }) => Promise<RunResult>;
}

/** A loaded harness over memory, whose `run` costs no time. */
export async function prepare(setup: Setup): Promise<Prepared> {
  const { input = {}, lines, schedule, clock = new ManualClock(), makeTools, ...ports } = setup;
  const output = new MemoryOutput();
  const harness = createHarness(input, {
    tools: makeTools?.(clock) ?? [workTool(clock)],
    clock,
    output,
    newId: countingId('run'),
    ...ports,
  });
  await harness.load(schedule ? { tasks: lines, schedule } : { tasks: lines });
  return { harness, output, clock, run: (options) => clock.run(() => harness.run(options)) };
}

/** The records of a JSON Lines file of the run; none when there is no such file. */
export function records(output: MemoryOutput, path: string): Record<string, unknown>[] {
  const text = output.files.get(path) ?? '';
  if (text !== '' && !text.endsWith('\n')) throw new Error(`${path} ends in half a line`);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

export function jsonFile(output: MemoryOutput, path: string): Record<string, unknown> {
  return JSON.parse(output.files.get(path) ?? 'null');
}

/** All records of files with this name, of every wave and agent. */
export function recordsNamed(output: MemoryOutput, name: string): Record<string, unknown>[] {
  return [...output.files.keys()]
    .filter((path) => path.endsWith(`/${name}`))
    .flatMap((path) => records(output, path));
}

export async function workflowsOf(engine: Engine): Promise<WorkflowView[]> {
  const views: WorkflowView[] = [];
  for await (const view of engine.list()) views.push(view);
  return views;
}

export function hashOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [path, text] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\n${text.length}\n${text}`);
  }
  return hash.digest('hex');
}

/** What tests read of `plan.json`. */
export const Plan = z.object({
  wave: z.number(),
  strategy: z.string(),
  makespan_ms: z.number(),
  lower_bound_ms: z.number(),
  ratio: z.number(),
  load_balance_score: z.number(),
  agents: z.array(
    z.object({ agent_id: z.string(), speed: z.number(), task_ids: z.array(z.string()) }),
  ),
});
