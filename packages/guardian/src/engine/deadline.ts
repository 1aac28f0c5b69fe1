import type { Clock } from '@buddy/core';
import { StepTimeoutError } from '../errors.ts';

/** A reason of our own: the default one is an error with a stack, made anew for each timer that was not needed. */
const OVER = 'over';

export interface DeadlineOptions {
  clock: Clock;
  what: string;
  timeoutMs: number;
  /** How long aborted work is waited for, in ms. */
  graceMs: number;
  /** Aborts the work too. */
  signal: AbortSignal;
}

/**
 * Does `work` within a time. When the time is over, or `signal` is aborted, the work's own signal is aborted and the work is
 * given `graceMs` to come to an end, so that it and its undo do not run side by side.
 * @throws {StepTimeoutError} When it did not end in time, even if it did in the grace.
 */
export async function withDeadline<T>(
  { clock, what, timeoutMs, graceMs, signal }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const timer = new AbortController();
  const abort = () => own.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const working = (async () => work(own.signal))();
  const settled = working.then(
    () => undefined,
    () => undefined,
  );
  const aborted = new Promise<'aborted'>((resolve) =>
    own.signal.addEventListener('abort', () => resolve('aborted'), { once: true }),
  );
  const late = clock.sleep(timeoutMs, timer.signal).then(
    () => own.abort(new StepTimeoutError(what, timeoutMs)),
    () => undefined, // it was not needed
  );
  try {
    const first = await Promise.race([settled, aborted]);
    if (first !== 'aborted') return await working;
    await Promise.race([settled, clock.sleep(graceMs, timer.signal).catch(() => undefined)]);
    throw own.signal.reason;
  } finally {
    timer.abort(OVER);
    await late;
    signal.removeEventListener('abort', abort);
  }
}

/** The same by a guardian's clock, with the grace that its options give. */
export function withDeadlineOf<T>(
  { clock, options }: { clock: Clock; options: { abortGraceMs: number } },
  limits: Pick<DeadlineOptions, 'what' | 'timeoutMs' | 'signal'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withDeadline({ ...limits, clock, graceMs: options.abortGraceMs }, work);
}
