import type { DurableContext } from '../durable/durable-context.ts';
import { outcomeOf, reason } from '../task/work.ts';
import { VERDICT_TOPIC, type Verdict } from './facts.ts';
import { SYSTEM_TOOLS } from './policy.ts';
import { claimTask, settleUntouched } from './claim.ts';
import { doTask, NO_PROGRESS, settle, type TaskEnd, type TaskRun, tell } from './task.ts';

export type ParkedInput = Extract<TaskEnd, { kind: 'parked' }> & Omit<TaskRun, 'progress'>;

/**
 * A task that waits for a person, in a workflow of its own so that its agent can go on; then whatever waited for the task,
 * one after the other.
 */
export async function parkedWorkflow(ctx: DurableContext, input: ParkedInput): Promise<void> {
  const isSettled = await waitAndDo(ctx, input);
  if (isSettled) await doFreed(ctx, input);
  await tell(ctx, 'verdict-done', { kind: 'verdictDone', parkedId: ctx.id });
}

async function doFreed(ctx: DurableContext, input: ParkedInput): Promise<void> {
  const { policy, agentId, work } = input;
  for (let n = 1; ; n++) {
    const claim = await claimTask(ctx, SYSTEM_TOOLS.claimAny, `claim-any/${n}`, {
      wave: work.wave,
    });
    if (claim.kind === 'done') return;
    if (claim.kind === 'settled') {
      await settleUntouched(ctx, claim);
      continue;
    }
    const freed: TaskRun = { work: claim.work, agentId, policy, progress: NO_PROGRESS };
    const end = await doTaskThrough(ctx, freed);
    if (end.kind === 'parked') await waitAndDo(ctx, { ...end, work: claim.work, agentId, policy });
  }
}

/** @returns Whether the task has ended; not so when the run was cancelled before anybody decided. */
async function waitAndDo(ctx: DurableContext, parked: ParkedInput): Promise<boolean> {
  let waiting = parked;
  for (;;) {
    await tellWaiting(ctx, waiting);
    const { work, policy, progress, agentId } = waiting;
    const key = `${work.taskId}/verdict/${progress.calls}`;
    const { verdictTimeoutMs: timeoutMs } = policy;
    const received = await ctx.waitFor<Verdict>(VERDICT_TOPIC, { key, timeoutMs });
    if (received.kind === 'cancelled') return false;
    const run: TaskRun = { work, agentId, policy, progress };
    const verdict = received.kind === 'received' ? received.value : EXPIRED[waiting.why];
    if (verdict.kind === 'proceed') {
      const end = await doTaskThrough(ctx, run);
      if (end.kind === 'settled') return true;
      waiting = { ...end, work, agentId, policy };
      continue;
    }
    const at = await ctx.now(`${key}/at`);
    const { status, failure } = endingOf(verdict);
    await settle(ctx, run, progress, { failure, at }, status);
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
    progress = end.progress;
    await ctx.sleep(`${run.work.taskId}/backoff/${progress.calls}`, end.waitMs);
  }
}

/** Nobody decided in time: that never counts as a yes. */
const EXPIRED: Record<ParkedInput['why'], Verdict> = {
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

/** Says that a task waits; a workflow of its own where nobody is there to wait with it. */
export async function tellWaiting(ctx: DurableContext, parked: ParkedInput): Promise<void> {
  const { work, agentId, progress, why, approvalId, attemptMs, failure } = parked;
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
  await tell(ctx, key, { kind: 'taskWaiting', outcome, why, approvalId, parkedId: ctx.id });
}
