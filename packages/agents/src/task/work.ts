import type { FailureDescription, ToolEffect } from '@buddy/core';
import type { Outcome, OutcomeStatus } from './outcome.ts';

/** A task as it is handed to whoever does it. JSON, for it passes through a journal. */
export interface Work {
  taskId: string;
  wave: number;
  action: string;
  input: unknown;
  priority: number;
  effect: ToolEffect;
  /** Whether the provider can be asked if a call whose answer was lost has happened. */
  canReconcile: boolean;
  plannedAgentId: string | null;
  isControl: boolean;
  heuristics: readonly string[];
  successProbability: number;
  calibratedProbability: number;
  predictedDurationMs: number;
  /** When its wave began, in ms since the Unix epoch. */
  queuedAt: number;
}

/** What an agent is given when it asks for more. */
export type Claim =
  | { kind: 'work'; work: Work }
  /** It is not to be done; why. */
  | { kind: 'settled'; work: Work; status: OutcomeStatus; failure: FailureDescription }
  | { kind: 'done' };

/** How it went, as far as the work itself does not say. */
export type Ending = Pick<
  Outcome,
  | 'agentId'
  | 'status'
  | 'startedAt'
  | 'endedAt'
  | 'attemptMs'
  | 'timedOutMs'
  | 'attempts'
  | 'isHealed'
  | 'failure'
>;

export function outcomeOf(work: Work, ending: Ending): Outcome {
  // Field by field: this is made for every task, and two spreads cost more than the rest of it.
  return {
    taskId: work.taskId,
    wave: work.wave,
    action: work.action,
    priority: work.priority,
    status: ending.status,
    agentId: ending.agentId,
    plannedAgentId: work.plannedAgentId,
    isControl: work.isControl,
    heuristics: work.heuristics,
    successProbability: work.successProbability,
    calibratedProbability: work.calibratedProbability,
    predictedDurationMs: work.predictedDurationMs,
    queuedAt: work.queuedAt,
    startedAt: ending.startedAt,
    endedAt: endOf(ending),
    attemptMs: ending.attemptMs,
    timedOutMs: ending.timedOutMs,
    attempts: ending.attempts,
    isHealed: ending.isHealed,
    failure: ending.failure,
  };
}

/** Never before it began, though the clock may have been set back while it waited. */
function endOf({ startedAt, endedAt }: Ending): number | null {
  if (startedAt === null || endedAt === null) return endedAt;
  return Math.max(startedAt, endedAt);
}

/** The ending of a task that nobody worked on. */
export function neverStarted(status: OutcomeStatus, failure: FailureDescription): Ending {
  return {
    agentId: null,
    status,
    startedAt: null,
    endedAt: null,
    attemptMs: 0,
    timedOutMs: 0,
    attempts: 0,
    isHealed: false,
    failure,
  };
}

/** A reason in the form in which failures are told. */
export function reason(code: string, message: string): FailureDescription {
  return { name: 'TaskNotDone', message, code, retryable: false, effect: 'none' };
}
