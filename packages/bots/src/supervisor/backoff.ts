import type { Random } from '@buddy/core';
import type { RestartPolicy } from '../bot/bot.ts';

/**
 * How long to wait before the `nth` restart of the period, in ms: `backoffMs` doubled for each one before, up to
 * `maxBackoffMs`, of which the share `jitter` is drawn, so that bots that fell together do not come back together.
 */
export function backoffMs(
  nth: number,
  { backoffMs: first, maxBackoffMs, jitter }: RestartPolicy,
  random: Random,
): number {
  const whole = Math.min(maxBackoffMs, first * 2 ** Math.min(nth - 1, 50));
  return Math.round(whole * (1 - jitter * random()));
}
