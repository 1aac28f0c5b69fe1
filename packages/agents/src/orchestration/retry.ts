import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { standAside } from './stand-aside.ts';
import { nextTry, type TaskRun } from './task-run.ts';
import { doTask, type RetryingTask, settle, type TaskEnd } from './task.ts';

export interface RetryResult {
  parked: readonly ChildHandle[];
}

/** A task between two tries. It holds no place of its agent while it waits, and gets in line for one when it goes on. */
export async function retryWorkflow(
  ctx: DurableContext,
  input: RetryingTask,
): Promise<RetryResult> {
  const { work, agentId, policy } = input;
  let waiting: Extract<TaskEnd, { kind: 'backoff' }> = input;
  for (;;) {
    const { progress, waitMs, attemptMs, failure } = waiting;
    const run: TaskRun = { work, agentId, policy, progress: nextTry(progress) };
    const key = `backoff/${progress.calls}`;
    if ((await ctx.sleep(key, waitMs)) === 'cancelled') {
      const endedAt = await ctx.now(`${key}/cancelled`);
      await settle(ctx, run, progress, { failure, endedAt, attemptMs }, 'cancelled');
      return { parked: [] };
    }
    const end = await doTask(ctx, run);
    switch (end.kind) {
      case 'settled':
        return { parked: [] };
      case 'parked':
        return { parked: [await standAside(ctx, run, end)] };
      case 'backoff':
        waiting = end;
    }
  }
}
