import type { Clock } from '@buddy/core';

export interface QueueLook {
  /** Number of the oldest job; undefined when there is none. */
  head: number | undefined;
  waiting: number;
  ageMs: number;
}

/**
 * Whether a backlog becomes shorter. The age of the oldest job alone does not say it: of a thousand jobs that came at one
 * moment, it grows until the last is done.
 */
export function createDrainMeter(windowMs: number, clock: Clock) {
  const looks: (QueueLook & { at: number })[] = [];
  return {
    note: (now: QueueLook): boolean => {
      const at = clock.monotonic();
      while (looks.length > 0 && (looks[0]?.at ?? at) < at - windowMs) looks.shift();
      looks.push({ ...now, at });
      const [before] = looks;
      if (now.head === undefined || !before) return true;
      const isWorkedOff = before.head !== undefined && now.head > before.head;
      return isWorkedOff && (now.waiting < before.waiting || now.ageMs < before.ageMs);
    },
  };
}
