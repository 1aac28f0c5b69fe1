import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { type Point, slopeOf } from './growth.ts';

export interface LeakOptions {
  samples: number;
  spanMs: number;
  horizonMs: number;
  confidence: number;
}

export interface MemorySample extends Point {
  /** Samples that name the same say the same: only the first counts. `resident` always counts. */
  series: string;
  counts: boolean;
}

const HOUR_MS = 3_600_000;

/** The memory of one process over time. Another process starts a new page. */
export class MemoryTrend {
  readonly #options: LeakOptions;
  #of: string | undefined;
  #last: string | undefined;
  #points: Point[] = [];

  constructor(options: LeakOptions) {
    this.#options = options;
  }

  note({ pid, startTime }: ProcessIdentity, { at, value, series, counts }: MemorySample): void {
    const of = `${pid} ${startTime}`;
    if (this.#of !== of) {
      this.#of = of;
      this.#points = [];
      this.#last = undefined;
    }
    if (!counts || (series !== 'resident' && series === this.#last)) return;
    // So far apart that the samples that are kept fill twice the time over which growth is judged, whoever looks how often.
    const { samples, spanMs } = this.#options;
    const previous = this.#points.at(-1);
    if (previous && at - previous.at < spanMs / samples) return;
    this.#last = series;
    this.#points.push({ at, value });
    if (this.#points.length > samples * 2) this.#points.shift();
  }

  /** Growth that is certain and leads to the limit in time; undefined where there is none, or not enough is known. */
  leak(limitBytes: number | undefined): { bytesPerHour: number; hoursLeft: number } | undefined {
    const { samples, spanMs, horizonMs, confidence } = this.#options;
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (limitBytes === undefined || !first || !last) return undefined;
    // The first and the last are both within the span: n samples have n - 1 spaces between them.
    const isEnough =
      this.#points.length >= samples && last.at - first.at >= spanMs * (1 - 1 / samples);
    if (!isEnough) return undefined;
    const slope = slopeOf(this.#points, confidence);
    if (!slope || slope.low <= 0) return undefined;
    const msLeft = Math.max(0, limitBytes - last.value) / slope.estimate;
    if (msLeft > horizonMs) return undefined;
    return { bytesPerHour: slope.estimate * HOUR_MS, hoursLeft: msLeft / HOUR_MS };
  }
}
