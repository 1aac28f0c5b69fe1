import { median } from '@buddy/core';
import { type Point, slopeOf } from '@buddy/guardian';
import type { Turn } from './real-faults.ts';

const HOUR_MS = 3_600_000;
const CONFIDENCE = 0.99;
/** What a process takes until everything was done once, and its rings of samples are full, is no leak. */
const WARM_UP_SHARE = 1 / 3;

export interface Drift {
  what: 'heap' | 'rss' | 'descriptors' | 'time to heal';
  unit: string;
  /** In its unit per hour, by Theil and Sen; with the bounds of the interval of 99 %. */
  perHour: number;
  low: number;
  high: number;
  /** Less is not told apart from the noise of a collector. */
  allowedPerHour: number;
  isDrifting: boolean;
}

/** Whether what the process holds grows, and whether healing becomes slower. */
export function driftOf(turns: readonly Turn[]): Drift[] {
  const settled = turns.slice(Math.floor(turns.length * WARM_UP_SHARE));
  const usual = usualMs(settled);
  const series: readonly [Drift['what'], string, number, (turn: Turn) => number | undefined][] = [
    ['heap', 'MB', 1, ({ heapMb }) => heapMb],
    ['rss', 'MB', 16, ({ rssMb }) => rssMb],
    ['descriptors', '', 2, ({ descriptors }) => descriptors],
    [
      'time to heal',
      'of its usual time',
      0.1,
      ({ playbook, healedMs }) =>
        healedMs === null ? undefined : healedMs / (usual.get(playbook) ?? healedMs),
    ],
  ];
  return series.flatMap(([what, unit, allowedPerHour, valueOf]) => {
    const points = settled.flatMap((turn): Point[] => {
      const value = valueOf(turn);
      return value === undefined ? [] : [{ at: turn.at, value }];
    });
    const slope = slopeOf(points, CONFIDENCE);
    if (!slope) return [];
    const [perHour, low, high] = [slope.estimate, slope.low, slope.high].map(
      (each) => each * HOUR_MS,
    );
    if (perHour === undefined || low === undefined || high === undefined) return [];
    return [
      {
        what,
        unit,
        perHour,
        low,
        high,
        allowedPerHour,
        isDrifting: low > 0 && perHour > allowedPerHour,
      },
    ];
  });
}

function usualMs(turns: readonly Turn[]): ReadonlyMap<string, number> {
  const byPlaybook = Map.groupBy(
    turns.filter(({ healedMs }) => healedMs !== null),
    ({ playbook }) => playbook,
  );
  return new Map(
    [...byPlaybook].map(([playbook, own]) => [
      playbook,
      median(own.map(({ healedMs }) => healedMs ?? 0)),
    ]),
  );
}
