import type { FailureDescription, Reconciliation } from '@buddy/core';
import type { ActivityResult, DurableContext } from '../durable/durable-context.ts';
import { backoffMs } from '../task/backoff.ts';
import type { Work } from '../task/work.ts';
import { SYSTEM_ACTOR, SYSTEM_TOOLS, type TaskPolicy } from './policy.ts';
import { callKey, type Progress, type TaskRun, workKey } from './task-run.ts';

/** Whether the answer was lost, and the provider can be asked what happened. */
export function isInDoubt(result: ActivityResult<unknown>, work: Work): boolean {
  const isLost = result.kind === 'failed' || result.kind === 'timed_out';
  return isLost && result.failure.effect !== 'none' && work.effect === 'once' && work.canReconcile;
}

/** What the call turns out to be once the provider has been asked. */
export async function inquire(
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
