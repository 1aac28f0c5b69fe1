import { z } from 'zod';
import { BackoffOptions } from './backoff.ts';

/** How tasks are tried. */
export const RetryOptions = z.strictObject({
  /** How often a task is tried, the first time included. */
  maxAttempts: z.int().positive().default(3),
  backoff: BackoffOptions.prefault({ kind: 'exponential' }),
  /** How long one attempt may take, in ms. */
  taskTimeoutMs: z.number().positive().default(60_000),
  /** A failure that asks to be left alone for longer than this, in ms, is not tried again. */
  maxRetryAfterMs: z
    .number()
    .nonnegative()
    .default(15 * 60_000),
  /** How long the healer may take with one failure, in ms. */
  healTimeoutMs: z
    .number()
    .positive()
    .default(2 * 60_000),
});
export type RetryOptions = z.output<typeof RetryOptions>;

/** Those of larger options. */
export function pickRetryOptions(options: RetryOptions): RetryOptions {
  const { maxAttempts, backoff, taskTimeoutMs, maxRetryAfterMs, healTimeoutMs } = options;
  return { maxAttempts, backoff, taskTimeoutMs, maxRetryAfterMs, healTimeoutMs };
}
