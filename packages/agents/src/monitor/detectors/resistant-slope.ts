import { median } from '@buddy/core';

/** With fewer points, a slope says more of chance than of the line. */
const FEWEST_POINTS = 30;

/**
 * The slope of y on x by Tukey's resistant line (1977): between the medians of the outer thirds, so that up to a sixth of all
 * points may be anything. 0 when there are fewer than 30 points, or no spread in x to speak of.
 */
export function resistantSlope(points: readonly { x: number; y: number }[]): number {
  if (points.length < FEWEST_POINTS) return 0;
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const third = Math.floor(sorted.length / 3);
  const low = sorted.slice(0, third);
  const high = sorted.slice(-third);
  const run = median(high.map(({ x }) => x)) - median(low.map(({ x }) => x));
  if (run <= LEAST_RUN) return 0;
  return (median(high.map(({ y }) => y)) - median(low.map(({ y }) => y))) / run;
}

/** Logs that differ by less than 1 % are the same. */
const LEAST_RUN = 0.01;
