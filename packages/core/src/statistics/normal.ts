import { StatisticsInputError } from './errors.ts';

/** Below this, the series for the middle would lose digits to cancellation. */
const TAIL_STARTS_AT = -3;
const TAIL_TERMS = 200;

/**
 * The share of a standard normal distribution that lies below `z`; exact to about 14 digits, in the lower tail too.
 *
 * The middle is the power series of Marsaglia 2004 (Journal of Statistical Software 11/4), the tail the continued fraction
 * of Laplace (Abramowitz & Stegun 26.2.14).
 * @throws {StatisticsInputError} When `z` is not a number.
 * @example
 * normalCdf(1.96); // 0.975002
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) throw new StatisticsInputError('z must be a number');
  if (z > -TAIL_STARTS_AT) return 1 - lowerTail(-z);
  if (z < TAIL_STARTS_AT) return lowerTail(z);
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + sum * normalDensity(z);
}

/**
 * The z below which the share `p` of a standard normal distribution lies: the inverse of `normalCdf`.
 * @param p From 0 (minus infinity) to 1 (infinity).
 * @throws {StatisticsInputError} When `p` is outside 0..1.
 * @example
 * normalQuantile(0.975); // 1.959964
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new StatisticsInputError(`p must be within 0..1, not ${p}`);
  if (p > 0.5) return 0 - normalQuantile(1 - p);
  if (p === 0) return -Infinity;
  // A first guess, right to 0.003 (Abramowitz & Stegun 26.2.22); each step of Halley's method triples its right digits.
  const t = Math.sqrt(-2 * Math.log(p));
  let z = (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t) - t;
  for (let step = 0; step < 3; step += 1) {
    const excess = (normalCdf(z) - p) / normalDensity(z);
    if (!Number.isFinite(excess)) break; // deeper than doubles go; the guess is as good as it gets
    z -= excess / (1 + (z * excess) / 2);
  }
  return z;
}

function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

function lowerTail(z: number): number {
  if (z === -Infinity) return 0;
  const x = -z;
  let fraction = x;
  for (let k = TAIL_TERMS; k > 0; k -= 1) fraction = x + k / fraction;
  return normalDensity(z) / fraction;
}
