import { quantile, wilsonInterval } from '@buddy/core';
import type { OutcomeStatus } from '../task/outcome.ts';
import type { AgentMetrics, Percentiles, TaskMetrics } from './metrics.ts';
import type { AgentTally } from './wave-tally.ts';

/** @param spanMs How long the wave took. */
export function agentMetricsOf(tally: AgentTally, spanMs: number): AgentMetrics {
  const { capacity } = tally;
  return { agentId: tally.agentId ?? '', capacity, ...taskMetricsOf([tally], capacity, spanMs) };
}

/** The metrics of all these tasks as one group. */
export function taskMetricsOf(
  tallies: readonly AgentTally[],
  capacity: number,
  spanMs: number,
): TaskMetrics {
  const succeeded = tallies.flatMap((tally) => tally.succeeded);
  const failed = tallies.flatMap((tally) => tally.failed);
  const scored = succeeded.length + failed.length;
  const busyMs = sum(tallies.map((tally) => tally.busyMs));
  const slotMs = spanMs * capacity;
  const timedOutMs = sum(tallies.map((tally) => tally.timedOutMs));
  return {
    counts: countsOf(tallies),
    scored,
    successRate: ratio(succeeded.length, scored),
    successInterval: wilsonInterval(succeeded.length, scored),
    throughputPerS: ratio(scored, spanMs / 1000),
    busyMs,
    utilisation: ratio(busyMs, slotMs),
    durationMs: percentiles(tallies.flatMap((tally) => tally.durationsMs)),
    queueMs: percentiles(tallies.flatMap((tally) => tally.queuesMs)),
    retryRatio: ratio(
      sum(tallies.map((tally) => tally.repeats)),
      sum(tallies.map((tally) => tally.attempts)),
    ),
    availability: slotMs > 0 ? Math.max(0, 1 - timedOutMs / slotMs) : null,
    brier: ratio(sum(succeeded.map((p) => (1 - p) ** 2)) + sum(failed.map((p) => p ** 2)), scored),
  };
}

function countsOf(tallies: readonly AgentTally[]): Record<OutcomeStatus, number> {
  const count = (status: OutcomeStatus) => sum(tallies.map(({ counts }) => counts[status]));
  return {
    completed: count('completed'),
    failed: count('failed'),
    timed_out: count('timed_out'),
    denied: count('denied'),
    cancelled: count('cancelled'),
    skipped: count('skipped'),
    waiting: count('waiting'),
  };
}

function percentiles(values: readonly number[]): Percentiles {
  if (values.length === 0) return { p50: null, p95: null };
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
