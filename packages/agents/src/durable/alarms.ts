import type { Clock } from '@buddy/core';

/** Rings for many things, with one timer for the earliest. */
export class Alarms {
  readonly #clock: Clock;
  readonly #ring: (id: string) => void;
  /** When each is due, on the clock's monotonic time. */
  readonly #dueAt = new Map<string, number>();
  #sleeping: { until: number; stop: AbortController } | undefined;

  constructor(clock: Clock, ring: (id: string) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(id: string, afterMs: number): void {
    const dueAt = this.#clock.monotonic() + afterMs;
    this.#dueAt.set(id, dueAt);
    if (!this.#sleeping || dueAt < this.#sleeping.until) this.#sleepUntil(dueAt);
  }

  has(id: string): boolean {
    return this.#dueAt.has(id);
  }

  clear(id: string): void {
    this.#dueAt.delete(id);
    if (this.#dueAt.size === 0) this.rest();
  }

  /** Stops the timer; nothing rings until something is set again. */
  rest(): void {
    this.#sleeping?.stop.abort();
    this.#sleeping = undefined;
  }

  #sleepUntil(until: number): void {
    this.rest();
    const stop = new AbortController();
    this.#sleeping = { until, stop };
    this.#clock.sleep(until - this.#clock.monotonic(), stop.signal).then(
      () => this.#ringDue(),
      () => undefined, // stopped, by `rest`
    );
  }

  #ringDue(): void {
    this.#sleeping = undefined;
    const now = this.#clock.monotonic();
    let next = Infinity;
    const due: string[] = [];
    for (const [id, dueAt] of this.#dueAt) {
      if (dueAt <= now) due.push(id);
      else next = Math.min(next, dueAt);
    }
    for (const id of due) {
      this.#dueAt.delete(id);
      this.#ring(id);
    }
    if (next < Infinity && !this.#sleeping) this.#sleepUntil(next);
  }
}
