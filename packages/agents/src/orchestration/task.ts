import type { FailureDescription } from '@buddy/core';
import type { ActivityResult, DurableContext } from '../durable/durable-context.ts';
import type { AttemptStatus, OutcomeStatus } from '../task/outcome.ts';
import { outcomeOf } from '../task/work.ts';
import { decide } from './decide.ts';
import { tell, type WaitingFor } from './facts.ts';
import { inquire, isInDoubt } from './inquire.ts';
import { SYSTEM_ACTOR, SYSTEM_TOOLS } from './policy.ts';
import { callKey, type Progress, type TaskRun, workKey } from './task-run.ts';

export type TaskEnd =
  | { kind: 'settled' }
  /** It is tried again after a wait, which nobody has to sit out: the agent may do something else meanwhile. */
  | {
      kind: 'backoff';
      progress: Progress;
      waitMs: number;
      attemptMs: number;
      failure: FailureDescription;
    }
  /** A person has to decide. */
  | {
      kind: 'parked';
      progress: Progress;
      why: WaitingFor;
      approvalId: string | null;
      attemptMs: number;
      failure: FailureDescription;
    };

/** A task between two tries, as its own workflow is handed it. */
export type RetryingTask = Extract<TaskEnd, { kind: 'backoff' }> & Omit<TaskRun, 'progress'>;

/** A task that waits for a person, as its own workflow is handed it. */
export type ParkedTask = Extract<TaskEnd, { kind: 'parked' }> & Omit<TaskRun, 'progress'>;

/** Tries a task until it is done, out of tries, refused, to be tried again later, or a person is needed. */
export async function doTask(ctx: DurableContext, run: TaskRun): Promise<TaskEnd> {
  const { work, agentId, policy } = run;
  const progress = { ...run.progress };
  if (progress.calls === 0) {
    const { taskId, wave, action } = work;
    await tell(ctx, `${taskId}/started`, { kind: 'taskStarted', taskId, wave, agentId, action });
  }
  for (;;) {
    const answer = await callTool(ctx, run, progress);
    progress.startedAt ??= answer.startedAt;
    if (answer.kind === 'timed_out') progress.timedOutMs += answer.endedAt - answer.startedAt;
    const result = isInDoubt(answer, work) ? await inquire(ctx, run, progress, answer) : answer;
    const next = decide(result, work, policy, progress);
    const backoff = next.kind === 'retry' ? next.backoffMs : null;
    await tellAttempt(ctx, run, progress, result, backoff);
    switch (next.kind) {
      case 'settle':
        await settle(ctx, run, progress, result, next.status);
        return { kind: 'settled' };
      case 'park': {
        const { why, approvalId, failure } = next;
        const attemptMs = result.endedAt - result.startedAt;
        return { kind: 'parked', progress, why, approvalId, attemptMs, failure };
      }
      case 'retry': {
        const { backoffMs: waitMs, failure } = next;
        const attemptMs = result.endedAt - result.startedAt;
        if (waitMs > 0) return { kind: 'backoff', progress, waitMs, attemptMs, failure };
        progress.attempt += 1;
        break;
      }
      case 'heal': {
        progress.healing = await heal(ctx, run, progress, next.failure);
        if (progress.healing === 'failed') {
          await settle(ctx, run, progress, result, next.status);
          return { kind: 'settled' };
        }
        if (next.failure.effect === 'none') progress.logicalAttempt += 1;
        progress.attempt += 1;
        break;
      }
    }
  }
}

/** Tells how a task ended: by its last try, or some time after it, as one waited or a person decided. */
export function settle(
  ctx: DurableContext,
  { work, agentId }: TaskRun,
  progress: Progress,
  last:
    | ActivityResult<unknown>
    | { failure: FailureDescription | null; endedAt: number; attemptMs: number },
  status: OutcomeStatus,
): Promise<void> {
  const { endedAt } = last;
  const outcome = outcomeOf(work, {
    agentId,
    status,
    startedAt: progress.startedAt,
    endedAt,
    attemptMs: 'attemptMs' in last ? last.attemptMs : endedAt - last.startedAt,
    timedOutMs: progress.timedOutMs,
    attempts: progress.attempt,
    isHealed: progress.healing === 'healed' && status === 'completed',
    failure: 'failure' in last && status !== 'completed' ? last.failure : null,
  });
  const output = 'kind' in last && last.kind === 'succeeded' ? last.value : null;
  return tell(ctx, `${work.taskId}/settled`, { kind: 'taskSettled', outcome, output });
}

/** One call of the tool. */
function callTool(
  ctx: DurableContext,
  { work, agentId, policy }: TaskRun,
  progress: Progress,
): Promise<ActivityResult<unknown>> {
  progress.calls += 1;
  return ctx.activity<unknown>({
    key: callKey(work, progress),
    tool: work.action,
    input: work.input,
    work: workKey(policy, work, progress),
    actor: { kind: 'agent', id: agentId },
    rationale: `planned task ${work.taskId} of wave ${work.wave}`,
    attempt: progress.attempt,
    runId: policy.runId,
    taskId: work.taskId,
    lane: agentId,
    provider: providerOf(work.action),
    timeoutMs: policy.taskTimeoutMs,
  });
}

/** The first word of `provider.resource.verb`. */
function providerOf(action: string): string {
  const end = action.indexOf('.');
  return end === -1 ? action : action.slice(0, end);
}

async function heal(
  ctx: DurableContext,
  { work, agentId, policy }: TaskRun,
  { attempt: attempts, calls }: Progress,
  failure: FailureDescription,
): Promise<Progress['healing']> {
  const { taskId, action, wave } = work;
  const healed = await ctx.activity<{ isHealed: boolean }>({
    key: `${taskId}/heal/${calls}`,
    tool: SYSTEM_TOOLS.heal,
    input: { runId: policy.runId, taskId, wave, action, agentId, attempts, failure },
    work: `${policy.runId}/${taskId}/heal`,
    actor: SYSTEM_ACTOR,
    rationale: `task ${taskId} failed for good`,
    attempt: 1,
    timeoutMs: policy.healTimeoutMs,
  });
  const isHealed = healed.kind === 'succeeded' && healed.value.isHealed;
  const why = healed.kind === 'succeeded' ? null : healed.failure;
  await tell(ctx, `${taskId}/healed/${calls}`, {
    kind: 'healingEnded',
    taskId,
    isHealed,
    failure: why,
  });
  return isHealed ? 'healed' : 'failed';
}

function tellAttempt(
  ctx: DurableContext,
  { work, agentId }: TaskRun,
  progress: Progress,
  result: ActivityResult<unknown>,
  backoff: number | null,
): Promise<void> {
  const { taskId, wave, action } = work;
  return tell(ctx, `${taskId}/attempt/${progress.calls}`, {
    kind: 'attemptEnded',
    attempt: {
      taskId,
      wave,
      agentId,
      action,
      attempt: progress.attempt,
      status: ATTEMPT_STATUS[result.kind],
      startedAt: result.startedAt,
      endedAt: result.endedAt,
      failure: result.kind === 'succeeded' ? null : result.failure,
      backoffMs: backoff,
    },
  });
}

const ATTEMPT_STATUS: Record<ActivityResult<unknown>['kind'], AttemptStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timed_out: 'timed_out',
  denied: 'denied',
  cancelled: 'cancelled',
  approval_required: 'waiting',
};
