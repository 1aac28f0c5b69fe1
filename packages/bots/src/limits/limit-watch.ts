import type { ResourceLimits } from '../bot/bot.ts';
import type { TreeUsage } from '../process/processes.ts';

/** What a bot's tree used at one moment. */
export interface UsageSample {
  /** In ms since the epoch. */
  readonly at: number;
  readonly processes: number;
  readonly rssBytes: number;
  /** Of one core, over the last second or so: 150 is a core and a half. Undefined until it has been looked at for so long. */
  readonly cpuPercent?: number | undefined;
}

export type Breach = {
  /** For how long it had been over the limit by then, without a break. */
  readonly forMs: number;
  /** The sample that broke it. */
  readonly sample: UsageSample;
} & (
  | { readonly limit: 'rss'; readonly maxRssBytes: number }
  | { readonly limit: 'cpu'; readonly maxCpuPercent: number }
);

/** Processor time is counted in steps of 10 ms, so over less than that it is mostly noise. */
const CPU_OVER_MS = 1_000;

/** Holds what one process tree uses against its limits. */
export class LimitWatch {
  readonly #limits: ResourceLimits;
  /** Enough of the past to tell processor time over `CPU_OVER_MS`; on the monotonic clock. */
  #past: { readonly now: number; readonly cpuMs: number }[] = [];
  readonly #overSince: { rss: number | undefined; cpu: number | undefined } = {
    rss: undefined,
    cpu: undefined,
  };
  latest: UsageSample | undefined;

  constructor(limits: ResourceLimits) {
    this.#limits = limits;
  }

  /** @param now On the monotonic clock. @param at In ms since the epoch. */
  observe(usage: TreeUsage, now: number, at: number): Breach | undefined {
    const { processes, rssBytes } = usage;
    const sample = { at, processes, rssBytes, cpuPercent: this.#cpuPercent(usage, now) };
    this.latest = sample;
    return this.#rssBreach(sample, now) ?? this.#cpuBreach(sample, now);
  }

  #rssBreach(sample: UsageSample, now: number): Breach | undefined {
    const { maxRssBytes } = this.#limits;
    if (maxRssBytes === undefined) return undefined;
    const forMs = this.#overFor('rss', sample.rssBytes > maxRssBytes, now);
    return forMs === undefined ? undefined : { limit: 'rss', maxRssBytes, forMs, sample };
  }

  #cpuBreach(sample: UsageSample, now: number): Breach | undefined {
    const { maxCpuPercent } = this.#limits;
    if (maxCpuPercent === undefined) return undefined;
    const forMs = this.#overFor('cpu', (sample.cpuPercent ?? 0) > maxCpuPercent, now);
    return forMs === undefined ? undefined : { limit: 'cpu', maxCpuPercent, forMs, sample };
  }

  /** Undefined as long as it does not count. */
  #overFor(limit: 'rss' | 'cpu', isOver: boolean, now: number): number | undefined {
    if (!isOver) {
      this.#overSince[limit] = undefined;
      return undefined;
    }
    this.#overSince[limit] ??= now;
    const forMs = now - this.#overSince[limit];
    return forMs >= this.#limits.durationMs ? forMs : undefined;
  }

  #cpuPercent({ cpuMs }: TreeUsage, now: number): number | undefined {
    this.#past.push({ now, cpuMs });
    const from = this.#past.findLastIndex((past) => now - past.now >= CPU_OVER_MS);
    if (from < 0) return undefined;
    this.#past = this.#past.slice(from);
    const [first] = this.#past;
    if (!first) return undefined;
    // A process that is gone takes its share with it.
    return Math.max(0, (100 * (cpuMs - first.cpuMs)) / (now - first.now));
  }
}
