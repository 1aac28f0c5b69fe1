import type { FailureDescription } from '@buddy/core';

/**
 * What became of a task. Completed, failed and timed out are scored; denied, cancelled and skipped are censored: shown,
 * but out of success rates and scores; waiting is not an end yet.
 */
export type OutcomeStatus =
  | 'completed'
  | 'failed'
  | 'timed_out'
  | 'denied'
  | 'cancelled'
  | 'skipped'
  | 'waiting';

/** A task's life from the plan to its end. Times in ms since the Unix epoch. */
export interface Outcome {
  taskId: string;
  wave: number;
  action: string;
  priority: number;
  status: OutcomeStatus;
  /** Who worked on it; null when nobody took it. */
  agentId: string | null;
  plannedAgentId: string | null;
  /** In the round-robin share that keeps the learning honest. */
  isControl: boolean;
  heuristics: readonly string[];
  /** As predicted. */
  successProbability: number;
  /** As recalibrated when the wave was planned. */
  calibratedProbability: number;
  /** As the plan assumed it, for an agent of speed 1. */
  predictedDurationMs: number;
  /** When its wave began. */
  queuedAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** How long the last attempt took: what `predictedDurationMs` is about. */
  attemptMs: number;
  /** How much of all attempts was lost in ones that timed out. */
  timedOutMs: number;
  attempts: number;
  /** Whether the healer had a part in it. */
  isHealed: boolean;
  failure: FailureDescription | null;
}

/** One try at a task. */
export interface Attempt {
  taskId: string;
  wave: number;
  agentId: string;
  action: string;
  /** From 1. */
  attempt: number;
  status: AttemptStatus;
  startedAt: number;
  endedAt: number;
  failure: FailureDescription | null;
  /** How long is waited before the next try; null when there is none. */
  backoffMs: number | null;
}

export type AttemptStatus =
  | 'succeeded'
  | 'failed'
  | 'timed_out'
  | 'denied'
  | 'waiting'
  | 'cancelled';

/** An outcome that counts: it says whether the task succeeded. */
export function isScored(outcome: Outcome): boolean {
  return (
    outcome.status === 'completed' || outcome.status === 'failed' || outcome.status === 'timed_out'
  );
}

export function isSuccess(outcome: Outcome): boolean {
  return outcome.status === 'completed';
}
