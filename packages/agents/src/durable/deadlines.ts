import type { Clock } from '@buddy/core';

/** Something that ends at a fixed time unless it is done before. */
export interface Deadline {
  dueAt: number;
  expire(): void;
}

/**
 * Expires what takes too long, with one timer for all that share a time limit: a timer and an abort signal for each would
 * cost more than a short task does.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #byLimit = new Map<number, Watch>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets `dueAt`. @returns Where to remove it when it was done in time. */
  watch(limitMs: number, deadline: Deadline): Watch {
    let watch = this.#byLimit.get(limitMs);
    if (!watch) {
      watch = new Watch(this.#clock);
      this.#byLimit.set(limitMs, watch);
    }
    deadline.dueAt = this.#clock.monotonic() + limitMs;
    watch.add(deadline);
    return watch;
  }

  /** Stops all timers; they start again with the next deadline. */
  rest(): void {
    for (const watch of this.#byLimit.values()) watch.rest();
  }
}

/** Deadlines of one limit: added in the order in which they fall due. */
export class Watch {
  readonly #clock: Clock;
  readonly #deadlines = new Set<Deadline>();
  #sleeping: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(deadline: Deadline): void {
    this.#deadlines.add(deadline);
    if (!this.#sleeping) void this.#sleepThrough();
  }

  remove(deadline: Deadline): void {
    this.#deadlines.delete(deadline);
  }

  rest(): void {
    this.#sleeping?.abort();
    this.#sleeping = undefined;
  }

  async #sleepThrough(): Promise<void> {
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    try {
      for (;;) {
        const [first] = this.#deadlines;
        if (!first) return;
        await this.#clock.sleep(first.dueAt - this.#clock.monotonic(), sleeping.signal);
        this.#expireDue();
      }
    } catch (error) {
      if (!sleeping.signal.aborted) throw error;
    } finally {
      if (this.#sleeping === sleeping) this.#sleeping = undefined;
    }
  }

  #expireDue(): void {
    const now = this.#clock.monotonic();
    for (const deadline of this.#deadlines) {
      if (deadline.dueAt > now) return;
      this.#deadlines.delete(deadline);
      deadline.expire();
    }
  }
}
