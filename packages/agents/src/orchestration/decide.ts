import type { FailureDescription } from '@buddy/core';
import type { ActivityResult } from '../durable/durable-context.ts';
import { backoffMs } from '../task/backoff.ts';
import type { OutcomeStatus } from '../task/outcome.ts';
import type { Work } from '../task/work.ts';
import type { WaitingFor } from './facts.ts';
import type { TaskPolicy } from './policy.ts';
import type { Progress } from './task-run.ts';

/** What is to be done with a task after a try. */
type Next =
  | { kind: 'settle'; status: OutcomeStatus }
  | { kind: 'park'; why: WaitingFor; approvalId: string | null; failure: FailureDescription }
  | { kind: 'retry'; backoffMs: number; failure: FailureDescription }
  | { kind: 'heal'; status: OutcomeStatus; failure: FailureDescription };

/** By what came of the try, and what was tried before. */
export function decide(
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
