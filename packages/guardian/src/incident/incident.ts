import type { Symptom } from './symptom.ts';

/** How an incident ended. */
export type Closing = 'restored' | 'restored_with_cause' | 'false_positive' | 'cleared_externally';

/**
 * Trouble with one resource that shows in one way. `open`: it is worked on; `parked`: its symptom has its outcome, nothing
 * can be done for now, and it is looked at and tried again; `closed`: the resource is well.
 */
export interface Incident {
  readonly id: string;
  readonly fingerprint: string;
  readonly resource: string;
  readonly signal: string;
  readonly status: 'open' | 'parked' | 'closed';
  /** What opened it. */
  readonly symptom: Symptom;
  /** Number of the symptom that opened it. */
  readonly openedBy: number;
  /** Ms since the epoch, as all times here. */
  readonly firstBad: number;
  readonly detected: number;
  /** The first good sample of the streak that proved it. */
  readonly restored: number | null;
  readonly closedAt: number | null;
  readonly closedAs: Closing | null;
  /** The incident that made this one. */
  readonly causeId: string | null;
  /** How often it was tried again after it was parked. */
  readonly retries: number;
  /** Why it is as it is, in one sentence. */
  readonly reason: string;
  /** The playbook that is being rehearsed on it. */
  readonly rehearses: string | null;
}

/** One use of a playbook on an incident. */
export interface Run {
  readonly id: string;
  readonly incidentId: string;
  readonly playbook: string;
  readonly resource: string;
  /** Which resource filled each role. */
  readonly roles: Readonly<Record<string, string>>;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly result: RunResult;
  readonly reason: string;
  /** Whether it counts against the restart intensity. */
  readonly interrupts: boolean;
  readonly isRehearsal: boolean;
}

/**
 * `not_helped`: its steps were done and the checks still say no; `failed`: a step failed; `refused`: a step was not
 * allowed; `aborted`: the guardian was stopped or killed.
 */
export type RunResult = 'running' | 'restored' | 'not_helped' | 'failed' | 'refused' | 'aborted';

/**
 * Where a step is: `intent` (it may have been done, wholly or by half), `done`, `failed`, then `undoing`, and at last
 * `undone`, `kept` (it cannot be taken back) or `undo_failed`.
 */
export type StepState =
  | 'intent'
  | 'done'
  | 'failed'
  | 'undoing'
  | 'undone'
  | 'kept'
  | 'undo_failed';

export interface StepEntry {
  readonly runId: string;
  /** Place in the playbook, from 0. */
  readonly index: number;
  readonly step: string;
  readonly state: StepState;
  /** What the undo needs, as JSON. */
  readonly before: string;
  readonly at: number;
}
