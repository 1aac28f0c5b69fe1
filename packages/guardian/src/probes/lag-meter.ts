import type { Clock } from '@buddy/core';

/** Tells how late our own process was, so that its lateness is not taken for another's. */
export interface LagMeter {
  /** Measures from now on; returns what says how much time was lost since, in ms, and ends the measuring. */
  begin(): () => number;
}

/**
 * A heartbeat on the event loop, one for all who measure, that beats only while somebody does.
 * @param beatMs Time between beats, in ms. Default 20.
 */
export function createLagMeter(clock: Clock, beatMs = 20): LagMeter {
  let measuring = 0;
  let isBeating = false;
  /** All time lost while it beat, up to the last beat. */
  let lost = 0;
  let lastBeat = 0;
  /** With what is lost of the beat that should have come by now. Only a beat ends that: work in between says nothing. */
  const lostBy = (now: number): number => lost + Math.max(0, now - lastBeat - beatMs);
  /** Until one beat after nobody measures any more: stopping it at once would cost more than that beat. */
  const beat = async (): Promise<void> => {
    isBeating = true;
    lastBeat = clock.monotonic();
    for (;;) {
      if (measuring === 0) break;
      await clock.sleep(beatMs);
      const now = clock.monotonic();
      lost = lostBy(now);
      lastBeat = now;
    }
    isBeating = false;
  };
  return {
    begin: () => {
      measuring += 1;
      if (!isBeating) void beat();
      const before = lostBy(clock.monotonic());
      return () => {
        measuring -= 1;
        return lostBy(clock.monotonic()) - before;
      };
    },
  };
}
