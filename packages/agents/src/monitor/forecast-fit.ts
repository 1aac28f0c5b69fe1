import type { Random } from '@buddy/core';
import { scoreForecasts } from '../scores/score-forecasts.ts';
import type { ForecastFit } from './detectors/prediction-drift.ts';
import { sum } from './task-metrics.ts';
import type { AgentTally } from './wave-tally.ts';

/**
 * Scores the calibrated probabilities of a wave; undefined when nothing was scored. They go in sorted, so that sums come out
 * the same to the last digit, whichever agent came first.
 */
export function forecastFitOf(
  tallies: readonly AgentTally[],
  random: Random,
): ForecastFit | undefined {
  const succeeded = sorted(tallies.flatMap((tally) => tally.succeeded));
  const failed = sorted(tallies.flatMap((tally) => tally.failed));
  const probabilities = [...succeeded, ...failed];
  if (probabilities.length === 0) return undefined;

  const outcomes = probabilities.map((_, index) => (index < succeeded.length ? 1 : 0));
  const { n, z, mcb, mcbNull, unc } = scoreForecasts({ probabilities, outcomes }, { random });
  const claimedUnc = sum(probabilities.map((p) => p * (1 - p))) / n;
  return { n, z, mcb, mcbNull, unc, claimedUnc };
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}
