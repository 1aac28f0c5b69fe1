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
  let stop: AbortController | undefined;
  /** All time lost while anybody measured. */
  let lost = 0;
  let lastBeat = 0;
  const beat = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const slept = await clock.sleep(beatMs, signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      note();
    }
  };
  /** A beat that is late, or that has not come yet although it should have, is time lost. */
  const note = (): void => {
    const now = clock.monotonic();
    lost += Math.max(0, now - lastBeat - beatMs);
    lastBeat = now;
  };
  return {
    begin: () => {
      if (measuring === 0) {
        lastBeat = clock.monotonic();
        stop = new AbortController();
        void beat(stop.signal);
      }
      measuring += 1;
      const before = lost;
      return () => {
        note();
        measuring -= 1;
        if (measuring === 0) stop?.abort('over');
        return lost - before;
      };
    },
  };
}
