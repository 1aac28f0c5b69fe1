import { StatisticsInputError } from './errors.ts';
import { normalQuantile } from './normal.ts';

export interface Interval {
  lower: number;
  upper: number;
}

export interface WilsonOptions {
  /** How often such intervals hold the true rate, in the long run: within (0, 1). Default 0.95. */
  confidence?: number;
  /** `lower` spends all doubt on the lower bound; the upper is 1. Default `two`. */
  sides?: 'two' | 'lower';
}

/**
 * A confidence interval for a rate, by the score method of Wilson 1927, without continuity correction. Unlike the textbook's
 * p ± z·s it stays within 0..1 and is sound for few trials and for rates near 0 or 1. Without trials it is 0..1.
 * @param successes May be a fraction, for weighted counts.
 * @throws {StatisticsInputError} Unless 0 <= successes <= trials, both finite, and the confidence is within (0, 1).
 * @example
 * wilsonInterval(81, 263); // { lower: 0.2553, upper: 0.3662 }, rounded
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  { confidence = 0.95, sides = 'two' }: WilsonOptions = {},
): Interval {
  if (!(successes >= 0 && successes <= trials && Number.isFinite(trials))) {
    throw new StatisticsInputError(
      `A rate needs 0 <= successes <= trials, not ${successes} of ${trials}`,
    );
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new StatisticsInputError(`confidence must be between 0 and 1, not ${confidence}`);
  }
  if (trials === 0) return { lower: 0, upper: 1 };

  const z = normalQuantile(sides === 'two' ? (1 + confidence) / 2 : confidence);
  const rate = successes / trials;
  const scale = 1 + z ** 2 / trials;
  const center = (rate + z ** 2 / (2 * trials)) / scale;
  const reach = (z / scale) * Math.sqrt((rate * (1 - rate)) / trials + z ** 2 / (4 * trials ** 2));
  return {
    // At the ends the formula gives exactly 0 and 1, but floating point may not.
    lower: successes === 0 ? 0 : Math.max(0, center - reach),
    upper: sides === 'lower' || successes === trials ? 1 : Math.min(1, center + reach),
  };
}
