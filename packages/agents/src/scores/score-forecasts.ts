import type { Random } from '@buddy/core';
import { assertForecasts, type Forecasts } from './forecasts.ts';
import { poolAdjacentViolators, type Pools, roomForPools } from './isotonic-regression.ts';
import { brierScore, logLoss, spiegelhalterZ } from './proper-scores.ts';

/** How good probabilities were. All but `n`, `z` and `logLoss` are within 0..1. */
export interface ForecastScores {
  /** How many forecasts. */
  n: number;
  /** Mean squared error (Brier 1950) = mcb - dsc + unc. */
  brier: number;
  /** Mean surprise, in nats. */
  logLoss: number;
  /** Miscalibration: what recalibrating would save. */
  mcb: number;
  /** The miscalibration that chance alone would show, had the probabilities been right. */
  mcbNull: number;
  /** Discrimination: what the recalibrated forecasts save against always saying the mean. */
  dsc: number;
  /** Uncertainty: the variance of the outcomes. */
  unc: number;
  /** Spiegelhalter 1986; standard normal when the probabilities are right. */
  z: number;
  /** The CORP reliability diagram, by ascending forecast. */
  curve: ReliabilityStep[];
}

/** Forecasts that are best read as one and the same probability. */
export interface ReliabilityStep {
  /** Its lowest and highest forecast. */
  from: number;
  to: number;
  /** The recalibrated forecast: how often it happened. */
  frequency: number;
  /** Forecasts in it, or their weight. */
  count: number;
}

export interface ScoreOptions {
  /** Draws the outcomes behind `mcbNull`. */
  random: Random;
  /** How many times they are drawn anew. Fewer are, but 5 at least, beyond a million draws in all. Default 50. */
  redraws?: number;
}

/**
 * Scores probabilities against what happened, and says where the score comes from: the CORP decomposition of Dimitriadis,
 * Gneiting & Jordan (PNAS 2021), which recalibrates by isotonic regression and so needs no bins. Equal forecasts are
 * recalibrated alike. The order of the rows plays no part, save in the last digits.
 *
 * Isotonic regression finds something to mend in perfect forecasts too, the more so the fewer there are: judge `mcb`
 * against `mcbNull`, its mean over outcomes drawn from the forecasts themselves.
 * @throws {StatisticsInputError} Without forecasts, or when one of them is not usable.
 * @example
 * const { mcb, mcbNull, z } = scoreForecasts({ probabilities, outcomes }, { random: seededRandom(7) });
 * const isOff = Math.abs(z) > 3 && mcb > mcbNull;
 */
export function scoreForecasts(
  forecasts: Forecasts,
  { random, redraws = 50 }: ScoreOptions,
): ForecastScores {
  assertForecasts(forecasts);
  const sorted = sortForecasts(forecasts);
  const pools = roomForPools(sorted.groups);
  const brier = brierScore(forecasts);
  poolAdjacentViolators(sorted.successes, sorted.groupWeights, pools);
  const recalibratedBrier = brierOfPools(pools, sorted.weight);
  const curve = reliabilityCurve(pools, sorted.groupForecasts);
  const mean = total(sorted.successes) / sorted.weight;
  const unc = mean * (1 - mean);
  return {
    n: forecasts.probabilities.length,
    brier,
    logLoss: logLoss(forecasts),
    mcb: Math.max(0, brier - recalibratedBrier), // below 0 by rounding only
    mcbNull: meanMcbUnderCalibration(sorted, pools, random, affordable(redraws, sorted)),
    dsc: Math.max(0, unc - recalibratedBrier),
    unc,
    z: spiegelhalterZ(forecasts),
    curve,
  };
}

/** Forecasts by ascending probability, equal ones in one group. */
interface SortedForecasts {
  /** Per row. */
  probabilities: Float64Array;
  weights: Float64Array;
  /** Per row, the index of its group. */
  groupOf: Int32Array;
  /** Per group. */
  groups: number;
  groupForecasts: Float64Array;
  groupWeights: Float64Array;
  successes: Float64Array;
  /** Of all rows. */
  weight: number;
}

function sortForecasts({ probabilities, outcomes, weights }: Forecasts): SortedForecasts {
  const rows = probabilities.length;
  const order = Uint32Array.from(probabilities, (_, row) => row).toSorted(
    (a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0),
  );
  const sorted = Float64Array.from(order, (row) => probabilities[row] ?? 0);
  const sortedWeights = Float64Array.from(order, (row) => weights?.[row] ?? 1);
  const groupOf = new Int32Array(rows);
  const groupForecasts = new Float64Array(rows);
  const groupWeights = new Float64Array(rows);
  const successes = new Float64Array(rows);
  let group = -1;
  for (let at = 0; at < rows; at += 1) {
    const forecast = sorted[at] ?? 0;
    const weight = sortedWeights[at] ?? 0;
    if (at === 0 || forecast !== sorted[at - 1]) group += 1;
    groupOf[at] = group;
    groupForecasts[group] = forecast;
    groupWeights[group] = (groupWeights[group] ?? 0) + weight;
    successes[group] = (successes[group] ?? 0) + weight * (outcomes[order[at] ?? 0] ?? 0);
  }
  const groups = group + 1;
  return {
    probabilities: sorted,
    weights: sortedWeights,
    groupOf,
    groups,
    groupForecasts: groupForecasts.subarray(0, groups),
    groupWeights: groupWeights.subarray(0, groups),
    successes: successes.subarray(0, groups),
    weight: total(sortedWeights),
  };
}

/** Each pool is forecast by its own mean m; of its weight the share m happened, so m(1 - m) is left. */
function brierOfPools({ count, sums, weights }: Pools, weight: number): number {
  let errors = 0;
  for (let pool = 0; pool < count; pool += 1) {
    const sum = sums[pool] ?? 0;
    errors += sum * (1 - sum / (weights[pool] ?? 1));
  }
  return errors / weight;
}

function reliabilityCurve(
  { count, ends, sums, weights }: Pools,
  forecasts: Float64Array,
): ReliabilityStep[] {
  return Array.from({ length: count }, (_, pool) => {
    const start = pool === 0 ? 0 : (ends[pool - 1] ?? 0);
    const weight = weights[pool] ?? 1;
    return {
      from: forecasts[start] ?? 0,
      to: forecasts[(ends[pool] ?? 1) - 1] ?? 0,
      frequency: (sums[pool] ?? 0) / weight,
      count: weight,
    };
  });
}

const MOST_DRAWS = 1_000_000;
const FEWEST_REDRAWS = 5;

/** The more forecasts, the less one redraw differs from another. */
function affordable(redraws: number, { probabilities }: SortedForecasts): number {
  const cap = Math.max(FEWEST_REDRAWS, Math.floor(MOST_DRAWS / probabilities.length));
  return Math.min(redraws, cap);
}

/** The order of the forecasts stays as it is from redraw to redraw, so each costs linear time and no memory. */
function meanMcbUnderCalibration(
  { probabilities, weights, groupOf, groupForecasts, groupWeights, weight }: SortedForecasts,
  pools: Pools,
  random: Random,
  redraws: number,
): number {
  const successes = new Float64Array(groupForecasts.length);
  let sum = 0;
  for (let redraw = 0; redraw < redraws; redraw += 1) {
    successes.fill(0);
    for (let row = 0; row < probabilities.length; row += 1) {
      if (random() >= (probabilities[row] ?? 0)) continue;
      const group = groupOf[row] ?? 0;
      successes[group] = (successes[group] ?? 0) + (weights[row] ?? 0);
    }
    let errors = 0;
    for (let group = 0; group < successes.length; group += 1) {
      const forecast = groupForecasts[group] ?? 0;
      const happened = successes[group] ?? 0;
      const not = (groupWeights[group] ?? 0) - happened;
      errors += happened * (1 - forecast) ** 2 + not * forecast ** 2;
    }
    poolAdjacentViolators(successes, groupWeights, pools);
    sum += Math.max(0, errors / weight - brierOfPools(pools, weight));
  }
  return sum / redraws;
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
