import type { Health } from '../monitor/health.ts';
import type { OutcomeStatus } from '../task/outcome.ts';

/**
 * `completed`: every task has ended, however. `waiting`: all but some that wait for people. `cancelled`: it was stopped;
 * what is in the files is true, but not all.
 */
export type RunStatus = 'completed' | 'waiting' | 'cancelled';

/** How a run went. */
export interface RunResult {
  runId: string;
  status: RunStatus;
  /** ms since the Unix epoch. */
  startedAt: number;
  endedAt: number;
  /** Tasks that were handed out or ruled out. */
  tasks: number;
  counts: Readonly<Record<OutcomeStatus, number>>;
  /** Waves that were gone through, in order. */
  waves: readonly number[];
  /** Waves that were to be run and were not gone through: the run was stopped before. */
  unfinishedWaves: readonly number[];
  health: Health;
  /** The tasks that wait, with what they wait for. */
  waiting: readonly { taskId: string; approvalId: string | null; why: string }[];
  /** Of what was wrong with the input. */
  problems: number;
}

export function noCounts(): Record<OutcomeStatus, number> {
  return { completed: 0, failed: 0, timed_out: 0, denied: 0, cancelled: 0, skipped: 0, waiting: 0 };
}
