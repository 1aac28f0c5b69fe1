import type { Clock, Random } from '@buddy/core';
import { z } from 'zod';
import type { ProviderError } from '../errors.ts';

const RetryLimits = z.strictObject({
  /** Tries in all, the first one included. */
  attempts: z.int().min(1).max(10).default(4),
  /** What the first wait is drawn from; each further one from twice as much. */
  baseDelayMs: z.number().nonnegative().default(500),
  /** The longest wait of the client's own choice; a provider may ask for more. */
  maxDelayMs: z.number().nonnegative().default(30_000),
  /** No try begins later than this after the first. */
  totalMs: z.number().nonnegative().default(120_000),
});

/**
 * `none` - one try, and the error says when and whether another makes sense: for a client inside a Tool, whose runner keeps
 * the account of all tries; or limits for the client to try by itself.
 */
export const Retries = z.union([z.literal('none'), RetryLimits], {
  error: "must be 'none' or { attempts, baseDelayMs, maxDelayMs, totalMs }",
});
export type RetriesInput = z.input<typeof Retries>;
export type Retries = z.output<typeof Retries>;

/** What a try was about, as far as repeating it is concerned. */
export interface Repetition {
  /** Whether a second time changes nothing more than the first. */
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Tries until it works, waiting as the provider asks, else twice as long each time, drawn at random so that clients that
 * failed together do not come back together.
 *
 * Tried again is only what may be: a refusal that left nothing behind, or what may be done twice.
 * @throws {ProviderError} The last one, when it may not be repeated or the limits are reached.
 */
export async function tryRepeatedly<T>(
  attempt: (n: number) => Promise<T>,
  retries: Retries,
  { isRepeatable, signal }: Repetition,
  { clock, random }: { clock: Clock; random: Random },
): Promise<T> {
  if (retries === 'none') return attempt(1);
  const startedAt = clock.monotonic();
  for (let n = 1; ; n += 1) {
    try {
      return await attempt(n);
    } catch (error) {
      if (n >= retries.attempts || !mayBeRepeated(error, isRepeatable)) throw error;
      const waitMs = waitBefore(n + 1, error.retryAfterMs, retries, random);
      if (clock.monotonic() - startedAt + waitMs > retries.totalMs) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
}

function mayBeRepeated(error: unknown, isRepeatable: boolean): error is ProviderError {
  if (!(error instanceof Error) || !('retryable' in error) || error.retryable !== true)
    return false;
  return isRepeatable || ('effect' in error && error.effect === 'none');
}

function waitBefore(
  n: number,
  askedMs: number | undefined,
  { baseDelayMs, maxDelayMs }: z.output<typeof RetryLimits>,
  random: Random,
): number {
  const drawnMs = random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (n - 2));
  return askedMs === undefined ? drawnMs : askedMs + random() * Math.min(baseDelayMs, askedMs / 10);
}
