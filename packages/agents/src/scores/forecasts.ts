import { StatisticsInputError } from '@buddy/core';

/** Probabilities that were stated, and what happened; row by row. */
export interface Forecasts {
  /** 0..1, the ends included. */
  probabilities: ArrayLike<number>;
  /** 1 where it happened, 0 where it did not. */
  outcomes: ArrayLike<number>;
  /** How much each row counts, above 0. Default: 1 each. */
  weights?: ArrayLike<number> | undefined;
}

/**
 * How far from certain a forecast is held to be at least. A failure of what was called certain would otherwise cost
 * infinitely much.
 */
const CERTAINTY_GAP = 1e-15;

/** The probability, or the nearest one that leaves room for doubt. */
export function withDoubt(probability: number): number {
  return Math.min(1 - CERTAINTY_GAP, Math.max(CERTAINTY_GAP, probability));
}

/** @throws {StatisticsInputError} For no rows at all, columns that differ in length, or a value out of its range. */
export function assertForecasts({ probabilities, outcomes, weights }: Forecasts): void {
  const rows = probabilities.length;
  if (rows === 0) throw new StatisticsInputError('Scores need at least one forecast');
  if (outcomes.length !== rows || (weights && weights.length !== rows)) {
    throw new StatisticsInputError(
      `Forecasts need as many outcomes and weights as probabilities: ${rows}`,
    );
  }
  for (let row = 0; row < rows; row += 1) {
    const probability = probabilities[row] ?? NaN;
    if (!(probability >= 0 && probability <= 1)) {
      throw new StatisticsInputError(
        `Probabilities must be within 0..1; number ${row} is ${probability}`,
      );
    }
    const outcome = outcomes[row];
    if (outcome !== 0 && outcome !== 1) {
      throw new StatisticsInputError(`Outcomes must be 0 or 1; number ${row} is ${outcome}`);
    }
    const weight = weights ? (weights[row] ?? NaN) : 1;
    if (!(weight > 0 && weight < Infinity)) {
      throw new StatisticsInputError(`Weights must be above 0; number ${row} is ${weight}`);
    }
  }
}
