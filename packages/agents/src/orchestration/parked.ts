import type { ChildHandle, DurableContext } from '../durable/durable-context.ts';
import { reason } from '../task/work.ts';
import { claimTask, settleUntouched } from './claim.ts';
import { tell, VERDICT_TOPIC, type Verdict } from './facts.ts';
import { SYSTEM_TOOLS } from './policy.ts';
import { standAside, tellWaiting } from './stand-aside.ts';
import { NO_PROGRESS, nextTry, type TaskRun } from './task-run.ts';
import { doTask, type ParkedTask, settle, type TaskEnd } from './task.ts';
import { join } from './wave.ts';

/**
 * A task that waits for a person, in a workflow of its own so that its agent can go on; then whatever waited for the task,
 * one after the other.
 */
export async function parkedWorkflow(ctx: DurableContext, input: ParkedTask): Promise<void> {
  const isSettled = await waitAndDo(ctx, input);
  const parked = isSettled ? await doFreed(ctx, input) : [];
  await tell(ctx, 'verdict-done', { kind: 'verdictDone', parkedId: ctx.id });
  await join<void>(ctx, parked);
}

/** @returns The workflows of those that wait for a person in their turn. */
async function doFreed(
  ctx: DurableContext,
  { policy, agentId, work: { wave } }: ParkedTask,
): Promise<readonly ChildHandle[]> {
  const parked: ChildHandle[] = [];
  for (let n = 1; ; n++) {
    const claim = await claimTask(ctx, SYSTEM_TOOLS.claimAny, `claim-any/${n}`, { wave });
    if (claim.kind === 'done') return parked;
    if (claim.kind === 'settled') {
      await settleUntouched(ctx, claim);
      continue;
    }
    const freed: TaskRun = { work: claim.work, agentId, policy, progress: NO_PROGRESS };
    const end = await doTaskThrough(ctx, freed);
    if (end.kind === 'parked') parked.push(await standAside(ctx, freed, end));
  }
}

/** @returns Whether the task has ended; not so when the run was cancelled before anybody decided. */
async function waitAndDo(ctx: DurableContext, parked: ParkedTask): Promise<boolean> {
  const { work, agentId, policy } = parked;
  const { verdictTimeoutMs: timeoutMs } = policy;
  let waiting: Extract<TaskEnd, { kind: 'parked' }> = parked;
  for (;;) {
    const { progress, attemptMs, why } = waiting;
    const key = `${work.taskId}/verdict/${progress.calls}`;
    const received = await ctx.waitFor<Verdict>(VERDICT_TOPIC, { key, timeoutMs });
    if (received.kind === 'cancelled') return false;
    await tell(ctx, `${key}/taken`, { kind: 'verdictTaken', parkedId: ctx.id });
    const run: TaskRun = { work, agentId, policy, progress };
    const verdict = received.kind === 'received' ? received.value : EXPIRED[why];
    if (verdict.kind === 'proceed') {
      // What needed approval was not tried yet; what may have happened was.
      const end = await doTaskThrough(ctx, {
        ...run,
        progress: why === 'approval' ? progress : nextTry(progress),
      });
      if (end.kind === 'settled') return true;
      await tellWaiting(ctx, run, end, ctx.id);
      waiting = end;
      continue;
    }
    const endedAt = await ctx.now(`${key}/at`);
    const { status, failure } = endingOf(verdict);
    await settle(ctx, run, progress, { failure, endedAt, attemptMs }, status);
    return true;
  }
}

/** As `doTask`, but sits out the waits between tries: nothing else is held up here. */
async function doTaskThrough(
  ctx: DurableContext,
  run: TaskRun,
): Promise<Exclude<TaskEnd, { kind: 'backoff' }>> {
  let progress = run.progress;
  for (;;) {
    const end = await doTask(ctx, { ...run, progress });
    if (end.kind !== 'backoff') return end;
    progress = nextTry(end.progress);
    await ctx.sleep(`${run.work.taskId}/backoff/${progress.calls}`, end.waitMs);
  }
}

/** Nobody decided in time: that never counts as a yes. */
const EXPIRED: Record<ParkedTask['why'], Verdict> = {
  approval: { kind: 'deny', explanation: 'Nobody approved it in time' },
  indeterminate: { kind: 'failed', explanation: 'Nobody said in time whether it happened' },
};

function endingOf(verdict: Exclude<Verdict, { kind: 'proceed' }>) {
  switch (verdict.kind) {
    case 'completed':
      return { status: 'completed', failure: null } as const;
    case 'deny':
      return {
        status: 'denied',
        failure: reason('AGENTS_NOT_APPROVED', verdict.explanation),
      } as const;
    case 'failed':
      return {
        status: 'failed',
        failure: reason('AGENTS_INDETERMINATE', verdict.explanation),
      } as const;
  }
}
