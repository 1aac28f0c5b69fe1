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
  /** As the tree told it last, and what is known to have been used since the first look: the one may shrink, the other not. */
  #told = 0;
  #knownCpuMs = 0;
  /** When a process was gone last, and its share with it. */
  #lostAt = Number.NEGATIVE_INFINITY;
  #observedAt = 0;
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
    const breach = this.#rssBreach(sample, now) ?? this.#cpuBreach(sample, now);
    this.#observedAt = now;
    return breach;
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
    const isOver = (sample.cpuPercent ?? 0) > maxCpuPercent;
    if (!isOver && now - this.#lostAt <= CPU_OVER_MS) {
      // It may have been over: that neither counts nor begins anew.
      if (this.#overSince.cpu !== undefined) this.#overSince.cpu += now - this.#observedAt;
      return undefined;
    }
    const forMs = this.#overFor('cpu', isOver, now);
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
    if (this.#past.length > 0) this.#knownCpuMs += Math.max(0, cpuMs - this.#told);
    if (cpuMs < this.#told) this.#lostAt = now;
    this.#told = cpuMs;
    this.#past.push({ now, cpuMs: this.#knownCpuMs });
    const from = this.#past.findLastIndex((past) => now - past.now >= CPU_OVER_MS);
    if (from < 0) return undefined;
    this.#past = this.#past.slice(from);
    const [first] = this.#past;
    return first && (100 * (this.#knownCpuMs - first.cpuMs)) / (now - first.now);
  }
}
