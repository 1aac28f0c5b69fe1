import { keyedDraw } from '@buddy/core';
import { z } from 'zod';

/** How long to wait before the next try. Milliseconds. */
export const BackoffOptions = z.discriminatedUnion('kind', [
  z.strictObject({
    /** baseMs, 2 x baseMs, 4 x baseMs, … */
    kind: z.literal('exponential'),
    baseMs: z.number().positive().default(1_000),
    capMs: z.number().positive().default(60_000),
    /** Draws each wait from 0 to what it would be, so that those who failed together do not come back together. */
    fullJitter: z.boolean().default(false),
  }),
  z.strictObject({
    /** stepMs, 2 x stepMs, 3 x stepMs, … */
    kind: z.literal('linear'),
    stepMs: z.number().positive().default(1_000),
    capMs: z.number().positive().default(60_000),
  }),
  z.strictObject({ kind: z.literal('none') }),
]);
export type BackoffInput = z.input<typeof BackoffOptions>;
export type BackoffOptions = z.output<typeof BackoffOptions>;

/**
 * How long to wait after the `failures`-th failure (from 1), in ms; a longer `retryAfterMs` wins.
 * @param draw What the jitter is drawn from: the same key, the same wait.
 */
export function backoffMs(
  options: BackoffOptions,
  failures: number,
  {
    retryAfterMs = 0,
    draw,
  }: { retryAfterMs?: number | undefined; draw: readonly (string | number)[] },
): number {
  return Math.max(ownWait(options, failures, draw), retryAfterMs);
}

function ownWait(
  options: BackoffOptions,
  failures: number,
  draw: readonly (string | number)[],
): number {
  switch (options.kind) {
    case 'exponential': {
      const wait = Math.min(options.capMs, options.baseMs * 2 ** (failures - 1));
      return options.fullJitter ? Math.round(wait * keyedDraw(...draw, failures)) : wait;
    }
    case 'linear':
      return Math.min(options.capMs, options.stepMs * failures);
    case 'none':
      return 0;
  }
}
