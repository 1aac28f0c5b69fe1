import type { Clock } from '@buddy/core';

/**
 * A clock on which whoever sleeps has slept at once. For calls over sockets, of which no manual clock knows; only one
 * call at a time, or the times would depend on the host.
 */
export function impatientClock(): Clock {
  const startedAt = Date.UTC(2026, 0, 1);
  let now = startedAt;
  return {
    now: () => now,
    monotonic: () => now - startedAt,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      now += ms;
    },
    external: (work) => work(),
  };
}
