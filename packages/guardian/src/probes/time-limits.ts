import type { Clock } from '@buddy/core';

/** Nothing that was not needed keeps a process awake for longer than this, in ms. */
const LONGEST_SLEEP_MS = 20;

interface Limit {
  at: number;
  pass: () => void;
}

/**
 * Time limits of many short pieces of work on one sleeper: nearly all of them are never reached, and a timer for each, made
 * and thrown away, costs as much as the work.
 */
export class TimeLimits {
  readonly #clock: Clock;
  readonly #limits = new Set<Limit>();
  /** When the sleeper that wakes first does, in monotonic ms; Infinity when all is quiet. */
  #wakesAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `pass` in `ms` milliseconds, unless the function that it answers with is called before. */
  set(ms: number, pass: () => void): () => void {
    const limit = { at: this.#clock.monotonic() + ms, pass };
    this.#limits.add(limit);
    if (limit.at < this.#wakesAt) void this.#sleep(this.#nextWake());
    return () => this.#limits.delete(limit);
  }

  async #sleep(first: number): Promise<void> {
    for (let until = first; ; until = this.#nextWake()) {
      this.#wakesAt = until;
      await this.#clock.sleep(until - this.#clock.monotonic());
      this.#passAll();
      if (this.#wakesAt !== until) return; // one that wakes sooner has taken over
      if (this.#limits.size === 0) break;
    }
    this.#wakesAt = Infinity;
  }

  #passAll(): void {
    const now = this.#clock.monotonic();
    for (const limit of this.#limits) {
      if (limit.at > now) continue;
      this.#limits.delete(limit);
      limit.pass();
    }
  }

  #nextWake(): number {
    let next = this.#clock.monotonic() + LONGEST_SLEEP_MS;
    for (const { at } of this.#limits) next = Math.min(next, at);
    return next;
  }
}
