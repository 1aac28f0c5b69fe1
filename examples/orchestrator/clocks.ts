import { acceleratedClock, type Clock, ManualClock, systemClock } from '@buddy/core';
import type { Arguments } from './arguments.ts';

/** The clock that a run was asked to use. */
export function clockOf({ clock, speed }: Pick<Arguments, 'clock' | 'speed'>): Clock {
  if (clock === 'manual') return new ManualClock();
  return speed === 1 ? systemClock : acceleratedClock(speed);
}
