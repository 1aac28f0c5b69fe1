import type { FailureDescription, Reconciliation } from '@buddy/core';
import type { ActivityResult, DurableContext } from '../durable/durable-context.ts';
import { backoffMs } from '../task/backoff.ts';
import type { AttemptStatus, OutcomeStatus } from '../task/outcome.ts';
import { outcomeOf, type Work } from '../task/work.ts';
import type { Fact, WaitingFor } from './facts.ts';
import { SYSTEM_ACTOR, SYSTEM_TOOLS, type TaskPolicy } from './policy.ts';

/** A task in somebody's hands. */
export interface TaskRun {
  work: Work;
  agentId: string;
  policy: TaskPolicy;
  progress: Progress;
}

/** How far it has come. JSON: a task that waits takes it along. */
export interface Progress {
  /** The attempt that is next or under way, from 1. */
  attempt: number;
  /** Calls made; more than attempts, for one that needed approval is made again. */
  calls: number;
  /** Grows when a failure was definitive and the cause is mended: a new piece of work to the provider, a new key. */
  logicalAttempt: number;
  startedAt: number | null;
  timedOutMs: number;
  healing: 'untried' | 'failed' | 'healed';
}

export const NO_PROGRESS: Progress = {
  attempt: 1,
  calls: 0,
  logicalAttempt: 0,
  startedAt: null,
  timedOutMs: 0,
  healing: 'untried',
};

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

/** The progress of a task whose last try is over, and counts. */
export function nextTry(progress: Progress): Progress {
  return { ...progress, attempt: progress.attempt + 1 };
}

export function tell(ctx: DurableContext, key: string, fact: Fact): Promise<void> {
  return ctx.emit(key, fact);
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

function callKey({ taskId }: Work, { calls }: Progress): string {
  return `${taskId}/call/${calls}`;
}

/** Whether the answer was lost, and the provider can be asked what happened. */
function isInDoubt(result: ActivityResult<unknown>, work: Work): boolean {
  const isLost = result.kind === 'failed' || result.kind === 'timed_out';
  return isLost && result.failure.effect !== 'none' && work.effect === 'once' && work.canReconcile;
}

/** What the call turns out to be once the provider has been asked. */
async function inquire(
  ctx: DurableContext,
  { work, policy }: TaskRun,
  progress: Progress,
  result: ActivityResult<unknown>,
): Promise<ActivityResult<unknown>> {
  const key = `${callKey(work, progress)}/reconcile`;
  const asked = await reconcile(ctx, work, policy, key, workKey(policy, work, progress));
  switch (asked.happened) {
    case true: {
      const { startedAt, endedAt } = result;
      return { kind: 'succeeded', value: asked.output, startedAt, endedAt };
    }
    case false:
      if (result.kind === 'succeeded') return result;
      return { ...result, failure: { ...result.failure, effect: 'none' } };
    case 'unknown':
      return result;
  }
}

/** Asks what happened, again and again as any question may be; when nobody can tell, `unknown`. */
async function reconcile(
  ctx: DurableContext,
  work: Work,
  policy: TaskPolicy,
  key: string,
  provider: string,
): Promise<Reconciliation<unknown>> {
  for (let tries = 1; ; tries++) {
    const asked = await ctx.activity<Reconciliation<unknown>>({
      key: `${key}/${tries}`,
      tool: SYSTEM_TOOLS.reconcile,
      input: { tool: work.action, input: work.input, work: provider },
      work: `${provider}/reconcile`,
      actor: SYSTEM_ACTOR,
      rationale: 'the answer was lost; did it happen?',
      attempt: tries,
      timeoutMs: policy.taskTimeoutMs,
    });
    if (asked.kind === 'succeeded' && asked.value.happened !== 'unknown') return asked.value;
    if (tries >= policy.maxAttempts) return { happened: 'unknown' };
    if (asked.kind !== 'succeeded' && !mayAskAgain(asked, policy)) return { happened: 'unknown' };
    const { retryAfterMs } = asked.kind === 'succeeded' ? {} : asked.failure;
    const draw = [policy.seed, 'reconcile', work.taskId];
    const waitMs = backoffMs(policy.backoff, tries, { retryAfterMs, draw });
    if ((await ctx.sleep(`${key}/${tries}/backoff`, waitMs)) === 'cancelled')
      return { happened: 'unknown' };
  }
}

/** A question may be asked again whatever it failed of, but not after years. */
function mayAskAgain({ failure }: { failure: FailureDescription }, policy: TaskPolicy): boolean {
  return (failure.retryAfterMs ?? 0) <= policy.maxRetryAfterMs;
}

/** The same words for every try that means the same effect. */
function workKey({ runId }: TaskPolicy, { taskId }: Work, { logicalAttempt }: Progress): string {
  return `${runId}/${taskId}/${logicalAttempt}`;
}

type Next =
  | { kind: 'settle'; status: OutcomeStatus }
  | { kind: 'park'; why: WaitingFor; approvalId: string | null; failure: FailureDescription }
  | { kind: 'retry'; backoffMs: number; failure: FailureDescription }
  | { kind: 'heal'; status: OutcomeStatus; failure: FailureDescription };

function decide(
  result: ActivityResult<unknown>,
  work: Work,
  policy: TaskPolicy,
  { attempt: tried, healing }: Progress,
): Next {
  switch (result.kind) {
    case 'succeeded':
      return { kind: 'settle', status: 'completed' };
    case 'denied':
      return { kind: 'settle', status: 'denied' };
    case 'cancelled':
      return { kind: 'settle', status: 'cancelled' };
    case 'approval_required':
      return {
        kind: 'park',
        why: 'approval',
        approvalId: result.approvalId,
        failure: result.failure,
      };
    case 'failed':
    case 'timed_out': {
      const { failure, kind: status } = result;
      const mayRepeat = work.effect !== 'once' || failure.effect === 'none';
      if (failure.retryable && !mayRepeat) {
        return { kind: 'park', why: 'indeterminate', approvalId: null, failure };
      }
      const { retryAfterMs = 0 } = failure;
      const isWorthWaiting = failure.retryable && retryAfterMs <= policy.maxRetryAfterMs;
      if (isWorthWaiting && tried < policy.maxAttempts && healing === 'untried') {
        const draw = [policy.seed, 'backoff', work.taskId];
        return {
          kind: 'retry',
          failure,
          backoffMs: backoffMs(policy.backoff, tried, { retryAfterMs, draw }),
        };
      }
      if (policy.canHeal && mayRepeat && healing === 'untried')
        return { kind: 'heal', status, failure };
      return { kind: 'settle', status };
    }
  }
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
