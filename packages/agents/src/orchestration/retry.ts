import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { standAside } from './stand-aside.ts';
import { settle, type TaskEnd, type TaskRun, doTask } from './task.ts';

export type RetryInput = Extract<TaskEnd, { kind: 'backoff' }> & Omit<TaskRun, 'progress'>;

export interface RetryResult {
  parked: readonly ChildHandle[];
}

/** A task between two tries. It holds no place of its agent while it waits, and gets in line for one when it goes on. */
export async function retryWorkflow(ctx: DurableContext, input: RetryInput): Promise<RetryResult> {
  const { work, agentId, policy } = input;
  let { progress, waitMs } = input;
  for (;;) {
    const key = `backoff/${progress.calls}`;
    if ((await ctx.sleep(key, waitMs)) === 'cancelled') {
      const at = await ctx.now(`${key}/cancelled`);
      await settle(
        ctx,
        { work, agentId, policy, progress },
        progress,
        { failure: null, at },
        'cancelled',
      );
      return { parked: [] };
    }
    const run: TaskRun = { work, agentId, policy, progress };
    const end = await doTask(ctx, run);
    switch (end.kind) {
      case 'settled':
        return { parked: [] };
      case 'parked':
        return { parked: [await standAside(ctx, run, end)] };
      case 'backoff':
        ({ progress, waitMs } = end);
    }
  }
}
