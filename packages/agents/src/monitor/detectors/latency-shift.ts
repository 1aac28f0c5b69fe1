import type { Outcome } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';

/** Weight of the newest task. */
const LAMBDA = 0.1;
/**
 * Control limit, in standard deviations of the average. Simulated with residuals of sigma .35: one false alarm in about
 * 9000 tasks, in 2600 when 5 % of them are 6 times slow; an agent that turns 1.5 times slower is found in about 14 tasks.
 */
const LIMIT = 3.5;
/** Tasks that teach the agent's usual pace before it is judged. */
const WARM_UP = 20;
/** A single slow task counts no more than this many standard deviations: outliers are not a shift. */
const MOST_PER_TASK = 2.5;
/** Smallest spread of log(actual / predicted) that is believed, as for outliers. */
const LEAST_SPREAD = 0.2;
const EVIDENCE_KEPT = 10;

export interface LatencyShiftDetector {
  /** @param outcome A completed one, of this agent. */
  observe(outcome: Outcome): Finding | undefined;
  /** An agent that was found slower is judged by its new pace from the next wave on. */
  startWave(): void;
}

/**
 * Notices that an agent has become slower than it was, by an exponentially weighted moving average of
 * log(actual / predicted) (Roberts 1959). The chart is self-starting (Hawkins 1987): each task is measured against the
 * mean and spread of those before it, so that no agent's speed has to be known beforehand. One that gets faster is no anomaly.
 *
 * It warns and no more: a slower agent still does its work, and what it costs shows in efficiency.
 */
export function createLatencyShiftDetector(agentId: string): LatencyShiftDetector {
  let usual = createRunningSpread();
  let average = 0;
  let judged = 0;
  let hasAlarmed = false;
  let latestIds: string[] = [];

  function restart(): void {
    average = 0;
    judged = 0;
    latestIds = [];
  }

  return {
    observe(outcome) {
      if (outcome.attemptMs <= 0 || outcome.predictedDurationMs <= 0) return undefined;
      const residual = Math.log(outcome.attemptMs / outcome.predictedDurationMs);
      if (usual.count() < WARM_UP) {
        usual.add(residual);
        return undefined;
      }
      const spread = Math.max(LEAST_SPREAD, usual.deviation());
      const surprise = clamp((residual - usual.mean()) / spread, MOST_PER_TASK);
      usual.add(usual.mean() + surprise * spread);
      average += LAMBDA * (surprise - average);
      judged += 1;
      latestIds.push(outcome.taskId);
      if (latestIds.length > EVIDENCE_KEPT) latestIds.shift();

      const statistic = average / deviationOfAverage(judged);
      if (statistic <= LIMIT) return undefined;
      hasAlarmed = true;
      const finding = findingOf(agentId, statistic, latestIds, outcome);
      restart();
      return finding;
    },
    startWave() {
      if (!hasAlarmed) return;
      hasAlarmed = false;
      usual = createRunningSpread();
      restart();
    },
  };
}

/** Of the average of `count` independent values of deviation 1. */
function deviationOfAverage(count: number): number {
  return Math.sqrt((LAMBDA / (2 - LAMBDA)) * (1 - (1 - LAMBDA) ** (2 * count)));
}

/** Mean and standard deviation as values come, by Welford 1962. */
function createRunningSpread() {
  let count = 0;
  let mean = 0;
  let squares = 0;
  return {
    add(value: number): void {
      count += 1;
      const distance = value - mean;
      mean += distance / count;
      squares += distance * (value - mean);
    },
    count: () => count,
    mean: () => mean,
    deviation: () => Math.sqrt(squares / (count - 1)),
  };
}

function clamp(value: number, reach: number): number {
  return Math.max(-reach, Math.min(reach, value));
}

function findingOf(
  agentId: string,
  statistic: number,
  evidence: readonly string[],
  outcome: Outcome,
): Finding {
  return {
    kind: 'latency_shift',
    severity: 'warning',
    scope: { kind: 'agent', agentId },
    statistic,
    threshold: LIMIT,
    evidence,
    recommendation: `Look at what has slowed ${agentId} down; the next plan will give it less if it stays slow.`,
    at: outcome.endedAt ?? outcome.queuedAt,
  };
}
