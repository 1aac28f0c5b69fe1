import type { FailureDescription } from '@buddy/core';
import type { DurableContext } from '../durable/durable-context.ts';
import type { Attempt, Outcome } from '../task/outcome.ts';

/** What orchestration tells the world, in the order in which it happens. JSON. */
export type Fact =
  /** What the run was given, for whoever goes on with it in another process. */
  | {
      kind: 'runBegan';
      runId: string;
      startedAt: number;
      waves: readonly number[];
      /** Of the predictions. */
      fingerprint: string;
    }
  | { kind: 'taskStarted'; taskId: string; wave: number; agentId: string; action: string }
  | { kind: 'attemptEnded'; attempt: Attempt }
  /** The healer was asked; `failure` says why it could not answer, if it could not. */
  | { kind: 'healingEnded'; taskId: string; isHealed: boolean; failure: FailureDescription | null }
  /** The task stands aside until a person decides; `parkedId` is the workflow that waits. */
  | {
      kind: 'taskWaiting';
      outcome: Outcome;
      why: WaitingFor;
      approvalId: string | null;
      parkedId: string;
    }
  | { kind: 'taskSettled'; outcome: Outcome; output: unknown }
  /** The wait for a person is over: somebody decided, or nobody did in time. */
  | { kind: 'verdictTaken'; parkedId: string }
  /** A decision has been carried out, with all that it freed; `taskWaiting` says so too. */
  | { kind: 'verdictDone'; parkedId: string }
  /** Every wave is through, and what is left waits for people. */
  | { kind: 'onlyWaiting'; runId: string };

/** `approval`: a person must agree first. `indeterminate`: it may have happened, and nobody but a person can tell. */
export type WaitingFor = 'approval' | 'indeterminate';

/** What a person says of a task that waits. */
export type Verdict =
  /** Do it (again): it is agreed to, or it surely did not happen. */
  | { kind: 'proceed' }
  | { kind: 'deny'; explanation: string }
  /** It did happen. */
  | { kind: 'completed' }
  | { kind: 'failed'; explanation: string };

export const VERDICT_TOPIC = 'verdict';

export function tell(ctx: DurableContext, key: string, fact: Fact): Promise<void> {
  return ctx.emit(key, fact);
}
