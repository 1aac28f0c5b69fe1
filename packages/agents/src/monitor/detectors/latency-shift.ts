import type { Outcome } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';
import type { Pace } from './latency-pace.ts';

/** Weight of the newest task. */
const LAMBDA = 0.1;
/**
 * Control limit, in standard deviations of the average. Simulated with estimates off by sigma .35, the longest first: one
 * false alarm in about 8000 tasks, in 3000 when 5 % of them are 6 times slow; an agent that turns 1.5 times slower is found in
 * about 11 tasks, in 15 during its first wave.
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
 * Notices that an agent has become slower than it was, by an exponentially weighted moving average (Roberts 1959) of how much
 * longer each task took than was expected of this agent at a task of this length. One that gets faster is no anomaly.
 *
 * The chart is self-starting (Hawkins 1987): each task is measured against those before it, so that no agent's speed has to
 * be known beforehand. What it averages are recursive residuals (Brown, Durbin & Evans 1975): independent and of one variance
 * although the pace is still being learnt, for each is divided by the error of its own forecast.
 *
 * It warns and no more: a slower agent still does its work, and what it costs shows in efficiency.
 */
export function createLatencyShiftDetector(agentId: string, pace: Pace): LatencyShiftDetector {
  let squares = 0;
  let average = 0;
  let judged = 0;
  let hasAlarmed = false;
  let latestIds: string[] = [];

  function restart(): void {
    average = 0;
    judged = 0;
    latestIds = [];
  }

  /** Returns how surprising it was, in standard deviations; undefined while the usual is being learnt. */
  function learn({ attemptMs, predictedDurationMs }: Outcome): number | undefined {
    const logPredicted = Math.log(predictedDurationMs);
    const residual = Math.log(attemptMs) - logPredicted;
    const known = pace.count();
    const { mean, variance } = pace.forecast(logPredicted);
    const error = Math.sqrt(variance);
    const distance = (residual - mean) / error;
    if (known < WARM_UP) {
      if (known > 0) squares += distance ** 2;
      pace.learn(logPredicted, residual);
      return undefined;
    }
    const spread = Math.max(LEAST_SPREAD, Math.sqrt(squares / (known - 1)));
    const surprise = clamp(distance / spread, MOST_PER_TASK);
    squares += (surprise * spread) ** 2;
    pace.learn(logPredicted, mean + surprise * spread * error);
    return surprise;
  }

  return {
    observe(outcome) {
      if (outcome.attemptMs <= 0 || outcome.predictedDurationMs <= 0) return undefined;
      const surprise = learn(outcome);
      if (surprise === undefined) return undefined;
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
      pace.forget();
      squares = 0;
      restart();
    },
  };
}

/** Of the average of `count` independent values of deviation 1. */
function deviationOfAverage(count: number): number {
  return Math.sqrt((LAMBDA / (2 - LAMBDA)) * (1 - (1 - LAMBDA) ** (2 * count)));
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
    recommendation: `Find out what has slowed ${agentId} down; the next plan will give it less if it stays slow.`,
    at: outcome.endedAt ?? outcome.queuedAt,
  };
}
