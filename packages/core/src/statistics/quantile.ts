import {
  medianAbsoluteDeviation as medianAbsoluteDeviationOf,
  quantile as quantileOf,
} from 'simple-statistics';
import { StatisticsInputError } from './errors.ts';

/**
 * The value below which the share `q` of the values lies, interpolated linearly between neighbours: definition 7 of
 * Hyndman & Fan 1996, the default of R and NumPy. The values may come in any order and are left as they are.
 * @param q From 0 (the smallest) to 1 (the largest).
 * @throws {StatisticsInputError} Without values, for a value that is not finite, or a `q` outside 0..1.
 * @example
 * quantile([15, 20, 35, 40, 50], 0.4); // 29
 */
export function quantile(values: readonly number[], q: number): number {
  if (!(q >= 0 && q <= 1)) throw new StatisticsInputError(`q must be within 0..1, not ${q}`);
  assertFinite(values, 'A quantile');
  return quantileOf(values, q);
}

/**
 * The middle value; the mean of the two in the middle when their number is even.
 * @throws {StatisticsInputError} Without values, or for a value that is not finite.
 */
export function median(values: readonly number[]): number {
  assertFinite(values, 'A median');
  return quantileOf(values, 0.5);
}

/**
 * The median distance from the median: a spread that a few wild values do not move. Not scaled: times 1.4826 it estimates
 * the standard deviation of normal values.
 * @throws {StatisticsInputError} Without values, or for a value that is not finite.
 * @example
 * medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9]); // 1
 */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  assertFinite(values, 'A median absolute deviation');
  return medianAbsoluteDeviationOf(values);
}

function assertFinite(values: readonly number[], statistic: string): void {
  if (values.length === 0) throw new StatisticsInputError(`${statistic} needs at least one value`);
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value)) {
      throw new StatisticsInputError(
        `${statistic} needs finite values; number ${index} is ${value}`,
      );
    }
  }
}
