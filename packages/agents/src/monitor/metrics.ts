import type { Interval } from '@buddy/core';
import type { OutcomeStatus } from '../task/outcome.ts';
import type { Anomaly } from './anomaly.ts';
import type { Health } from './health.ts';

/** The middle and the slow end of a set of times; null when there are none. */
export interface Percentiles {
  p50: number | null;
  p95: number | null;
}

/**
 * How a group of tasks went: those of one agent, or of a whole wave. Rates are over scored tasks (completed, failed,
 * timed out); the others are counted and nothing more. What has nothing to be computed from is null.
 */
export interface TaskMetrics {
  counts: Readonly<Record<OutcomeStatus, number>>;
  /** Completed, failed and timed-out tasks. */
  scored: number;
  successRate: number | null;
  /** Wilson's 95 % interval of the success rate; 0..1 when nothing was scored. */
  successInterval: Interval;
  /** Scored tasks per second of the wave. */
  throughputPerS: number | null;
  /** Time in attempts, in ms. */
  busyMs: number;
  /** `busyMs` / (span of the wave x capacity). */
  utilisation: number | null;
  /** From start to end of a scored task, waits between its attempts included. */
  durationMs: Percentiles;
  /** From the start of the wave to the start of the task. */
  queueMs: Percentiles;
  /** Share of all attempts that were repeats. */
  retryRatio: number | null;
  /** Share of the capacity's time that was not lost in attempts that timed out. */
  availability: number | null;
  /** Mean squared error of the probabilities that the plan was made with (calibrated). */
  brier: number | null;
}

export interface AgentMetrics extends TaskMetrics {
  agentId: string;
  capacity: number;
}

export interface WaveMetrics extends TaskMetrics {
  wave: number;
  /** ms since the Unix epoch. */
  startedAt: number;
  endedAt: number;
  /** All agents' slots. */
  capacity: number;
  makespanMs: number;
  /** The plan's lower bound, scaled by work as measured / work as planned; at least the longest attempt on the fastest agent. */
  lowerBoundMs: number;
  /** makespanMs / lowerBoundMs, 1 at best; null when no time passed. */
  makespanRatio: number | null;
  /** Tasks done by another agent than planned. */
  steals: number;
}

/** All that the monitor has to say about a wave that has ended. */
export interface WaveReportMetrics {
  wave: WaveMetrics;
  /** In the order of their ids. */
  agents: readonly AgentMetrics[];
  anomalies: readonly Anomaly[];
  /** Over all waves so far, this one included. */
  health: Health;
}
