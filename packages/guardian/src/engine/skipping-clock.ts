import type { Clock } from '@buddy/core';

/** Another clock, on which nobody waits: who sleeps finds at once that the time has passed. For what is only tried. */
export function skippingClock(clock: Clock): Clock {
  let skippedMs = 0;
  const monotonic = () => clock.monotonic() + skippedMs;
  return {
    now: () => clock.now() + skippedMs,
    monotonic,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      const wakesAt = monotonic() + ms;
      await Promise.resolve(); // who falls asleep at the same moment sleeps beside it, not after it
      skippedMs += Math.max(0, wakesAt - monotonic());
    },
    external: (work) => clock.external(work),
  };
}
