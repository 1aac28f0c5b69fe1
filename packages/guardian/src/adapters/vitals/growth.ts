import { median, normalQuantile } from '@buddy/core';

export interface Point {
  readonly at: number;
  readonly value: number;
}

/** How fast something grows, in its unit per ms. */
export interface Slope {
  readonly estimate: number;
  /** Bounds of the interval of confidence. */
  readonly low: number;
  readonly high: number;
}

/**
 * The slope of a series by Theil (1950) and Sen (1968): the median of the slopes between all pairs of points, which a third
 * of wild points does not move. The interval is Sen's, from the normal approximation of Kendall's statistic; it is
 * honest from about ten points on.
 * @param confidence Of the two-sided interval, 0..1.
 * @returns Undefined with fewer than two points of different times.
 * @example
 * slopeOf([{ at: 0, value: 1 }, { at: 10, value: 3 }, { at: 20, value: 5 }], 0.95)?.estimate; // 0.2
 */
export function slopeOf(points: readonly Point[], confidence: number): Slope | undefined {
  const slopes: number[] = [];
  for (const [index, a] of points.entries()) {
    for (const b of points.slice(index + 1)) {
      if (b.at !== a.at) slopes.push((b.value - a.value) / (b.at - a.at));
    }
  }
  if (slopes.length === 0) return undefined;
  slopes.sort((a, b) => a - b);
  const n = points.length;
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const width = normalQuantile((1 + confidence) / 2) * deviation;
  // Ranks count from 1; beyond the last there is no bound.
  const lowRank = Math.floor((slopes.length - width) / 2);
  const highRank = Math.ceil((slopes.length + width) / 2) + 1;
  return {
    estimate: median(slopes),
    low: slopes[lowRank - 1] ?? -Infinity,
    high: slopes[highRank - 1] ?? Infinity,
  };
}
