import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import type { ParkedInput } from './parked.ts';
import type { RetryInput } from './retry.ts';
import type { TaskEnd, TaskRun } from './task.ts';

/** Puts a task that has to wait into a workflow of its own, so that its agent can go on. */
export async function standAside(
  ctx: DurableContext,
  { work, agentId, policy }: TaskRun,
  end: Exclude<TaskEnd, { kind: 'settled' }>,
): Promise<ChildHandle> {
  const workflow = end.kind === 'backoff' ? 'retry' : 'parked';
  const id = `${policy.runId}/${workflow}/${work.taskId}/${end.progress.calls}`;
  const input: RetryInput | ParkedInput = { ...end, work, agentId, policy };
  await ctx.spawnAll([{ key: id, id, workflow, input }]);
  return { id };
}
