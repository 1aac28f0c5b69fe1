import type { Clock } from './clock.ts';
import { systemClock } from './system-clock.ts';

/**
 * The machine's clock from now on, `speed` times as fast: what should take a minute takes a second at 60. What really takes
 * time, as a request does, seems to take so many times longer.
 * @throws {RangeError} When `speed` is not above 0.
 * @example
 * await acceleratedClock(60).sleep(60_000); // takes a second
 */
export function acceleratedClock(speed: number): Clock {
  if (!(speed > 0 && speed < Infinity)) {
    throw new RangeError(`A clock cannot be ${speed} times as fast; take a number above 0`);
  }
  const begun = { now: systemClock.now(), monotonic: systemClock.monotonic() };
  const passedMs = () => (systemClock.monotonic() - begun.monotonic) * speed;
  return {
    now: () => Math.floor(begun.now + passedMs()),
    monotonic: passedMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      if (ms > 0) await systemClock.sleep(ms / speed, signal);
    },
    external: (work) => work(),
  };
}
