import { setTimeout as timer } from 'node:timers/promises';
import { type Clock, systemClock } from '@buddy/core';

/** Node fires longer ones at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Sleeps for work that nobody waits for: on the machine's own clock, a process that has nothing else to do ends. May wake
 * early from sleeps of more than 24 days; who sleeps looks at the time anyway.
 */
export async function backgroundSleep(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (clock !== systemClock) return clock.sleep(ms, signal);
  await timer(Math.min(ms, LONGEST_TIMER_MS), undefined, { signal, ref: false });
}
