import { keyedDraw, normalQuantile } from '@buddy/core';
import { z } from 'zod';

/** A lognormal duration: half of all are below the median, and a few take much longer. */
export const LatencyDistribution = z.strictObject({
  medianMs: z.number().positive(),
  /** Of the logarithm; at 0.35, 95 % lie between half and twice the median. */
  sigma: z.number().nonnegative(),
});
export type LatencyDistribution = z.output<typeof LatencyDistribution>;

/** `typical` - each operation's own, `none` - answers come at once, or one distribution for all. */
export const Latency = z.union([z.enum(['typical', 'none']), LatencyDistribution], {
  error: "must be 'typical', 'none' or { medianMs, sigma }",
});
export type Latency = z.output<typeof Latency>;

/** The duration that belongs to `key`, in milliseconds. */
export function drawLatencyMs(
  { medianMs, sigma }: LatencyDistribution,
  key: readonly (string | number)[],
): number {
  return medianMs * Math.exp(sigma * normalQuantile(keyedDraw(...key, 'latency')));
}
