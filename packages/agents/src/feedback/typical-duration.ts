import { RecentWaves } from './recent-waves.ts';

/** The durations of an action in recent waves. */
export class RecentDurations {
  readonly #recent = new RecentWaves<readonly number[]>();

  close(durationsMs: readonly number[], decay: number): void {
    this.#recent.add(durationsMs, decay);
  }

  /** Their weighted median: the middle one, or the mean of the two in the middle. Undefined without any. */
  median(): number | undefined {
    const values = this.#recent.waves
      .flatMap(({ values: durations, weight }) => durations.map((ms) => ({ ms, weight })))
      .toSorted((a, b) => a.ms - b.ms || a.weight - b.weight);
    const half = values.reduce((sum, { weight }) => sum + weight, 0) / 2;
    let below = 0;
    for (const [index, { ms, weight }] of values.entries()) {
      below += weight;
      if (below === half) return (ms + (values[index + 1]?.ms ?? ms)) / 2;
      if (below > half) return ms;
    }
    return undefined;
  }
}
