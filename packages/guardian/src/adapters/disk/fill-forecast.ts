import { type Clock, median } from '@buddy/core';
import { HEALTHY, type Reading } from '../../resource/reading.ts';

export interface FillForecastOptions {
  reserveBytes: number;
  forecastMs: number;
  forecastFromMs: number;
}

const MOST_SAMPLES = 60;
const LEAST_SAMPLES = 5;

/**
 * Says when a disk will be full, as things go: the slope is the median of those between all pairs of looks (Theil 1950,
 * Sen 1968), which one large file that comes and goes does not bend.
 */
export function createFillForecast(options: FillForecastOptions, clock: Clock) {
  const { reserveBytes, forecastMs, forecastFromMs } = options;
  const samples: { at: number; freeBytes: number }[] = [];
  return {
    add: (freeBytes: number): Reading => {
      const at = clock.monotonic();
      samples.push({ at, freeBytes });
      if (samples.length > MOST_SAMPLES) samples.shift();
      const [oldest] = samples;
      const span = at - (oldest?.at ?? at);
      if (samples.length < LEAST_SAMPLES || span < forecastFromMs) return HEALTHY;
      const bytesPerMs = slope(samples);
      if (bytesPerMs >= 0) return HEALTHY;
      const inMs = Math.max(0, (freeBytes - reserveBytes) / -bytesPerMs);
      if (inMs >= forecastMs) return HEALTHY;
      const note = `as things go, the reserve is reached in ${Math.round(inMs / 1_000)} s`;
      return { status: 'DEGRADED', signal: 'disk.filling', note };
    },
  };
}

function slope(samples: readonly { at: number; freeBytes: number }[]): number {
  const slopes = samples.flatMap((one, index) =>
    samples
      .slice(index + 1)
      .filter(({ at }) => at > one.at)
      .map((other) => (other.freeBytes - one.freeBytes) / (other.at - one.at)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}
