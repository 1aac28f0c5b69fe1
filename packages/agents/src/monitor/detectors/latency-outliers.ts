import { median, normalCdf } from '@buddy/core';
import type { Finding } from '../anomaly.ts';
import { resistantSlope } from './resistant-slope.ts';

/** How long a completed task took, against its prediction. */
export interface LatencySample {
  taskId: string;
  agentId: string;
  attemptMs: number;
  predictedDurationMs: number;
}

export interface LatencyOutlier {
  taskId: string;
  agentId: string;
  /** The modified z of log(attemptMs / predictedDurationMs), against the agent's other tasks of this length. */
  z: number;
}

export interface LatencyOutliers {
  /** All of them, the slowest first. */
  outliers: readonly LatencyOutlier[];
  /** The z that told them from the rest. */
  threshold: number;
}

/** An agent with fewer samples has no middle to speak of. */
const FEWEST_SAMPLES = 8;
/** The median absolute deviation of normal values, in standard deviations. */
const MAD_OF_NORMAL = 0.6745;
/** Smallest spread of log(actual / predicted) that is believed: at the default cut, nothing under twice its usual time is an outlier. */
const LEAST_SPREAD = 0.2;
/** Share of false ones that is accepted among the outliers when the cut comes down... */
const FALSE_DISCOVERY_RATE = 0.03;
/** ...which it does to this z at the lowest. */
const LOWEST_CUT = 3;

/**
 * Finds the tasks that took far longer than predicted: modified z of log(actual / predicted) above 3.5 (Iglewicz & Hoaglin
 * 1993). The middle is each agent's own, so that a slow agent does not make all its tasks outliers; the spread is shared. So is
 * the slope on log(predicted), which is taken out: short estimates are mostly too short, which does not make a task slow.
 *
 * 3.5 suits data that are nearly clean. Where many tasks are slow they give themselves away by number: the cut then comes
 * down, to 3 at most, as far as no more than 3 % of the tasks it finds are expected to be false (Benjamini & Hochberg 1995).
 * Samples with a time of 0, and agents with fewer than 8, are passed over.
 * @example
 * const { outliers } = findLatencyOutliers(samples);
 * outliers.map((outlier) => outlier.taskId); // ['t-17', 't-4']
 */
export function findLatencyOutliers(
  samples: Iterable<LatencySample>,
  { outlierZ = 3.5 }: { outlierZ?: number } = {},
): LatencyOutliers {
  const deviations = deviationsOf(samples);
  if (deviations.length === 0) return { outliers: [], threshold: outlierZ };

  const spread = spreadOf(deviations.map(({ deviation }) => Math.abs(deviation)));
  const ranked = deviations
    .map(({ taskId, agentId, deviation }) => ({ taskId, agentId, z: deviation / spread }))
    .filter(({ z }) => z >= LOWEST_CUT)
    .toSorted((a, b) => b.z - a.z || compare(a.taskId, b.taskId));
  const threshold = Math.min(outlierZ, falseDiscoveryCut(ranked, deviations.length));
  return { outliers: ranked.filter(({ z }) => z > threshold), threshold };
}

/** The outliers as anomalies, one for each agent. `info`: single slow tasks; what they cost shows in efficiency. */
export function latencyOutlierFindings(found: LatencyOutliers, at: number): Finding[] {
  const byAgent = Map.groupBy(found.outliers, ({ agentId }) => agentId);
  return [...byAgent].map(([agentId, outliers]) => ({
    kind: 'latency_outlier',
    severity: 'info',
    scope: { kind: 'agent', agentId },
    statistic: outliers[0]?.z ?? 0,
    threshold: found.threshold,
    count: outliers.length,
    evidence: outliers.map(({ taskId }) => taskId),
    recommendation: `See what the ${outliers.length === 1 ? 'slow task' : `${outliers.length} slow tasks`} of ${agentId} had to wait for.`,
    at,
  }));
}

interface Deviation {
  taskId: string;
  agentId: string;
  deviation: number;
}

function deviationsOf(samples: Iterable<LatencySample>): Deviation[] {
  const byAgent = Map.groupBy(samples, ({ agentId, attemptMs, predictedDurationMs }) =>
    attemptMs > 0 && predictedDurationMs > 0 ? agentId : undefined,
  );
  byAgent.delete(undefined);
  const groups = [...byAgent.values()].filter((own) => own.length >= FEWEST_SAMPLES);
  const slope = resistantSlope(groups.flatMap(centredPoints));
  return groups.flatMap((own) =>
    centred(own, (sample) => residualOf(sample) - slope * Math.log(sample.predictedDurationMs)),
  );
}

function centredPoints(own: readonly LatencySample[]): { x: number; y: number }[] {
  const x = centred(own, ({ predictedDurationMs }) => Math.log(predictedDurationMs));
  const y = centred(own, residualOf);
  return x.map(({ deviation }, index) => ({ x: deviation, y: y[index]?.deviation ?? 0 }));
}

function residualOf({ attemptMs, predictedDurationMs }: LatencySample): number {
  return Math.log(attemptMs / predictedDurationMs);
}

function centred(
  own: readonly LatencySample[],
  valueOf: (sample: LatencySample) => number,
): Deviation[] {
  const values = own.map(valueOf);
  const middle = median(values);
  return own.map(({ taskId, agentId }, index) => ({
    taskId,
    agentId,
    deviation: (values[index] ?? middle) - middle,
  }));
}

function spreadOf(distances: readonly number[]): number {
  return Math.max(LEAST_SPREAD, median(distances) / MAD_OF_NORMAL);
}

function falseDiscoveryCut(ranked: readonly LatencyOutlier[], samples: number): number {
  const last = ranked.findLastIndex(
    ({ z }, index) => normalCdf(-z) <= (FALSE_DISCOVERY_RATE * (index + 1)) / samples,
  );
  const next = ranked[last + 1]; // the first that is let off; without one, all down to the lowest cut are outliers
  return last < 0 ? Infinity : Math.max(LOWEST_CUT, next?.z ?? LOWEST_CUT);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
