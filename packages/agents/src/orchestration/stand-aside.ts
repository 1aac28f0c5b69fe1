import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { outcomeOf } from '../task/work.ts';
import { tell } from './facts.ts';
import type { TaskRun } from './task-run.ts';
import type { ParkedTask, RetryingTask, TaskEnd } from './task.ts';

/**
 * Puts a task that has to wait into a workflow of its own, so that its agent can go on. That it waits for a person is told
 * by whoever leaves it: the wave must not end before that is known.
 */
export async function standAside(
  ctx: DurableContext,
  run: TaskRun,
  end: Exclude<TaskEnd, { kind: 'settled' }>,
): Promise<ChildHandle> {
  const { work, agentId, policy } = run;
  const workflow = end.kind === 'backoff' ? 'retry' : 'parked';
  const id = `${policy.runId}/${workflow}/${work.taskId}/${end.progress.calls}`;
  const input: RetryingTask | ParkedTask = { ...end, work, agentId, policy };
  await ctx.spawnAll([{ key: id, id, workflow, input }]);
  if (end.kind === 'parked') await tellWaiting(ctx, run, end, id);
  return { id };
}

/** Says that a task waits for a person, and which workflow waits with it. */
export async function tellWaiting(
  ctx: DurableContext,
  { work, agentId }: TaskRun,
  { progress, why, approvalId, attemptMs, failure }: Extract<TaskEnd, { kind: 'parked' }>,
  parkedId: string,
): Promise<void> {
  const outcome = outcomeOf(work, {
    agentId,
    status: 'waiting',
    startedAt: progress.startedAt,
    endedAt: null,
    attemptMs,
    timedOutMs: progress.timedOutMs,
    attempts: progress.attempt,
    isHealed: false,
    failure,
  });
  const key = `${work.taskId}/waiting/${progress.calls}`;
  await tell(ctx, key, { kind: 'taskWaiting', outcome, why, approvalId, parkedId });
}
