import { wilsonInterval } from '@buddy/core';
import { brierScore, skillScore, spiegelhalterZ } from '../scores/proper-scores.ts';
import type { Forecasts } from '../scores/forecasts.ts';
import { FEWEST_OBSERVATIONS } from './options.ts';
import type { HeuristicSignal } from './signals.ts';
import { sortedByKey } from './track-record.ts';
import { type ForecastTally, meanOf, sortedForecasts } from './wave-tally.ts';

const MOST_Z = 3;

/** @param successRate Of all scored tasks of the wave. */
export function heuristicSignals(
  tallies: ReadonlyMap<string, ForecastTally>,
  successRate: number,
): HeuristicSignal[] {
  return sortedByKey(tallies).map(([heuristic, tally]) =>
    heuristicSignal(heuristic, sortedForecasts(tally).predicted, successRate),
  );
}

function heuristicSignal(
  heuristic: string,
  forecasts: Forecasts,
  successRate: number,
): HeuristicSignal {
  const { outcomes } = forecasts;
  const n = outcomes.length;
  const successes = Array.from(outcomes).reduce((sum, outcome) => sum + outcome, 0);
  const brier = brierScore(forecasts);
  const baseline = Array.from(outcomes, () => successRate);
  const baselineBrier = brierScore({ probabilities: baseline, outcomes });
  const skill = skillScore(brier, baselineBrier);
  const wilson = wilsonInterval(successes, n);
  return {
    heuristic,
    value: skill,
    n,
    confidence: 1 - (wilson.upper - wilson.lower),
    recommendation: recommendation(forecasts, successRate),
    successes,
    predictedMean: meanOf(Array.from(forecasts.probabilities)) ?? Number.NaN,
    brier,
    baselineBrier,
    skill,
    lift: successRate === 0 ? 1 : successes / n / successRate,
    wilson,
  };
}

/**
 * Retire what tells nothing: its predictions are clearly worse than the average, and its tasks do as all tasks do. Retune
 * what tells something, but the wrong number.
 */
function recommendation(
  forecasts: Forecasts,
  successRate: number,
): HeuristicSignal['recommendation'] {
  const { probabilities, outcomes } = forecasts;
  const n = outcomes.length;
  if (n < FEWEST_OBSERVATIONS) return 'keep';
  const losses = Array.from(probabilities, (p, row) => {
    const outcome = outcomes[row] ?? 0;
    return (p - outcome) ** 2 - (successRate - outcome) ** 2;
  });
  const isWorse = isClearlyPositive(losses);
  if (!isWorse && Math.abs(spiegelhalterZ(forecasts)) <= MOST_Z) return 'keep';
  const successes = Array.from(outcomes).reduce((sum, outcome) => sum + outcome, 0);
  const { lower, upper } = wilsonInterval(successes, n);
  const isLikeAll = lower <= successRate && successRate <= upper;
  return isWorse && isLikeAll ? 'retire' : 'retune';
}

/** Whether the mean is above 0 by more than 1.96 standard errors. */
function isClearlyPositive(values: readonly number[]): boolean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return mean > 1.96 * Math.sqrt(squares / (values.length - 1) / values.length);
}
