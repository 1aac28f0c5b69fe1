export interface FlapOptions {
  /** More changes than this within the window are flapping. */
  most: number;
  windowMs: number;
}

/**
 * Sees that a resource goes bad and well by itself, again and again: a restart would be one more change. Changes that a
 * healing made do not count. Times are monotonic ms.
 */
export class FlapDetector {
  readonly #options: FlapOptions;
  readonly #changes = new Map<string, number[]>();
  readonly #wasBad = new Set<string>();

  constructor(options: FlapOptions) {
    this.#options = options;
  }

  noteBad(resource: string, now: number): void {
    if (this.#wasBad.has(resource)) return;
    this.#wasBad.add(resource);
    this.#changed(resource, now);
  }

  noteWellByItself(resource: string, now: number): void {
    if (!this.#wasBad.delete(resource)) return;
    this.#changed(resource, now);
  }

  /** What came before belongs to a fault that was mended. */
  noteHealed(resource: string): void {
    this.#wasBad.delete(resource);
    this.#changes.delete(resource);
  }

  /** Until when it counts as flapping, if nothing changes any more; undefined when it does not flap. */
  flapsUntil(resource: string, now: number): number | undefined {
    const { most, windowMs } = this.#options;
    const changes = (this.#changes.get(resource) ?? []).filter((at) => at > now - windowMs);
    this.#changes.set(resource, changes);
    const oldestThatCounts = changes[changes.length - most - 1];
    return oldestThatCounts === undefined ? undefined : oldestThatCounts + windowMs;
  }

  #changed(resource: string, now: number): void {
    const changes = this.#changes.get(resource) ?? [];
    changes.push(now);
    if (changes.length > this.#options.most * 2 + 2) changes.shift();
    this.#changes.set(resource, changes);
  }
}
