import { duration } from '../numbers.ts';

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;

/** Steps at which people divide time; above the last, whole multiples of days. */
const STEPS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * S),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MIN),
  ...[1, 2, 3, 6, 12].map((hours) => hours * H),
];

/**
 * Round moments between 0 and `spanMs`, at most `most` steps apart.
 * @example
 * durationTicks(60_000, 4); // 0, 15 s, 30 s, 45 s, 1 min
 */
export function durationTicks(spanMs: number, most: number): { atMs: number; label: string }[] {
  const finest = spanMs / most;
  const stepMs = STEPS.find((step) => step >= finest) ?? daysAbove(finest);
  return Array.from({ length: Math.floor(spanMs / stepMs) + 1 }, (_, index) => ({
    atMs: index * stepMs,
    label: index === 0 ? '0' : duration(index * stepMs),
  }));
}

/** 1, 2, 5, 10, 20, 50 … days. */
function daysAbove(ms: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(ms / D)));
  const factor = [1, 2, 5, 10].find((step) => step * power * D >= ms) ?? 10;
  return factor * power * D;
}
