import type { Random } from '../../packages/core/src/index.ts';

/** A standard normal draw, by Box and Muller. */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A factor that is 1 in the middle and whose logarithm has the standard deviation `sigma`. */
export function lognormal(random: Random, sigma: number): number {
  return Math.exp(sigma * gaussian(random));
}
