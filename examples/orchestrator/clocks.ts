import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, ManualClock, systemClock } from '@buddy/core';
import type { Arguments } from './arguments.ts';

/** The clock that a run was asked to use. */
export function clockOf({ clock, speed }: Pick<Arguments, 'clock' | 'speed'>): Clock {
  if (clock === 'manual') return new ManualClock();
  return speed === 1 ? systemClock : fastClock(speed);
}

/**
 * The system's clock from now on, `speed` times as fast: what should take a minute takes a second at 60. What really takes
 * time, as a request does, seems to take so many times longer.
 */
function fastClock(speed: number): Clock {
  const begun = { now: systemClock.now(), monotonic: systemClock.monotonic() };
  const passedMs = () => (systemClock.monotonic() - begun.monotonic) * speed;
  return {
    now: () => Math.floor(begun.now + passedMs()),
    monotonic: passedMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      if (!(ms > 0)) return;
      try {
        await sleep(ms / speed, undefined, { signal });
      } catch (error) {
        signal?.throwIfAborted(); // with the reason itself, as a clock is to
        throw error;
      }
    },
    external: (work) => work(),
  };
}
