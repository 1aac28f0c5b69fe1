import type { Clock } from '@buddy/core';

export interface RateLimitOptions {
  /** So many calls may begin within any `perMs`. */
  starts: number;
  perMs: number;
}

/** Lets calls begin no faster than a provider allows; the rest wait in line. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  /** When the latest `starts` calls began, on the monotonic clock; the oldest at `#oldest`, once it is full. */
  readonly #begun: number[] = [];
  #oldest = 0;
  readonly #line = new Set<() => void>();
  #sleeping: AbortController | undefined;

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** As if it had been used up just now: a process that is gone may have done that. */
  useUp(): void {
    const { starts } = this.#options;
    while (this.#begun.length < starts) this.#begin();
  }

  /** Whether a call may begin now, and now it has; if not, `wait` for it. */
  tryEnter(): boolean {
    if (this.#line.size > 0 || this.#restMs() > 0) return false;
    this.#begin();
    return true;
  }

  /** @returns What to call to leave the line; `onEntered` is called when the call may begin, and has. */
  wait(onEntered: () => void): () => void {
    this.#line.add(onEntered);
    this.#watch();
    return () => this.#line.delete(onEntered);
  }

  /** Stops the timer; whoever waits, waits for ever. */
  rest(): void {
    this.#sleeping?.abort();
  }

  /** How long until the next may begin. */
  #restMs(): number {
    const { starts, perMs } = this.#options;
    if (this.#begun.length < starts) return 0;
    const oldest = this.#begun[this.#oldest] ?? 0;
    return oldest + perMs - this.#clock.monotonic();
  }

  #begin(): void {
    const { starts } = this.#options;
    const now = this.#clock.monotonic();
    if (this.#begun.length < starts) {
      this.#begun.push(now);
      return;
    }
    this.#begun[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % starts;
  }

  #watch(): void {
    if (this.#sleeping) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#letIn(sleeping.signal).then(
      () => (this.#sleeping = undefined),
      () => undefined, // stopped, by `rest`
    );
  }

  async #letIn(signal: AbortSignal): Promise<void> {
    while (this.#line.size > 0) {
      await this.#clock.sleep(this.#restMs(), signal);
      for (const next of this.#line) {
        if (this.#restMs() > 0) break;
        this.#line.delete(next);
        this.#begin();
        next();
      }
    }
  }
}
