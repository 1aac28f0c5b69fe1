import { assertForecasts, type Forecasts, withDoubt } from './forecasts.ts';

/**
 * Mean squared error of probabilities (Brier 1950): 0 at best, 1 at worst; always saying 1/2 scores 0.25.
 * @throws {StatisticsInputError} When the forecasts are not usable.
 * @example
 * brierScore({ probabilities: [0.9, 0.6], outcomes: [1, 0] }); // (0.1² + 0.6²) / 2 = 0.185
 */
export function brierScore(forecasts: Forecasts): number {
  return meanLoss(forecasts, (probability, outcome) => (probability - outcome) ** 2);
}

/**
 * Mean surprise in nats (Good 1952): 0 at best. Certainty counts as 1e-15 short of it, so that the score stays finite.
 * @throws {StatisticsInputError} When the forecasts are not usable.
 * @example
 * logLoss({ probabilities: [0.5], outcomes: [1] }); // ln 2
 */
export function logLoss(forecasts: Forecasts): number {
  return meanLoss(forecasts, (probability, outcome) => {
    const doubtful = withDoubt(probability);
    return -Math.log(outcome === 1 ? doubtful : 1 - doubtful);
  });
}

/**
 * How much of a reference's score was saved: 1 for a perfect forecast, 0 for one no better than the reference, below 0 for
 * a worse one. Against a perfect reference it is 0 for a perfect forecast, else minus infinity.
 */
export function skillScore(score: number, referenceScore: number): number {
  return score === referenceScore ? 0 : 1 - score / referenceScore;
}

/**
 * Tests probabilities for calibration (Spiegelhalter 1986): standard normal when they are right, above 0 when they are too
 * extreme, below 0 when too timid. Blind to errors that are alike on both sides of 1/2, and 0 when all forecasts are 1/2.
 * @throws {StatisticsInputError} When the forecasts are not usable.
 */
export function spiegelhalterZ(forecasts: Forecasts): number {
  assertForecasts(forecasts);
  const { probabilities, outcomes, weights } = forecasts;
  let excess = 0;
  let variance = 0;
  for (let row = 0; row < probabilities.length; row += 1) {
    const probability = withDoubt(probabilities[row] ?? 0);
    const lever = (weights?.[row] ?? 1) * (1 - 2 * probability);
    excess += ((outcomes[row] ?? 0) - probability) * lever;
    variance += lever ** 2 * probability * (1 - probability);
  }
  return variance === 0 ? 0 : excess / Math.sqrt(variance);
}

function meanLoss(forecasts: Forecasts, loss: (probability: number, outcome: number) => number) {
  assertForecasts(forecasts);
  const { probabilities, outcomes, weights } = forecasts;
  let total = 0;
  let rows = 0;
  for (let row = 0; row < probabilities.length; row += 1) {
    const weight = weights?.[row] ?? 1;
    total += weight * loss(probabilities[row] ?? 0, outcomes[row] ?? 0);
    rows += weight;
  }
  return total / rows;
}
