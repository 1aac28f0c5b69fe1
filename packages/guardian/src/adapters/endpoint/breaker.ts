import type { Clock } from '@buddy/core';
import type { BreakerState } from '../../resource/adapters/network.ts';

export interface BreakerOptions {
  /** Requests in a row that nobody answered, after which it opens by itself. */
  failures: number;
  /** How long it stays open, in ms; twice as long each time that a trial fails. */
  openMs: number;
  longestOpenMs: number;
}

/** A circuit breaker: closed, open, and half-open once its rest is over. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  #failures = 0;
  #opened = 0;
  /** Monotonic ms; undefined while it is closed. */
  #openUntil: number | undefined;

  constructor(options: BreakerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get state(): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    return this.#clock.monotonic() < this.#openUntil ? 'open' : 'half_open';
  }

  /** Ms until a trial is let through. */
  get restMs(): number {
    return Math.max(0, (this.#openUntil ?? 0) - this.#clock.monotonic());
  }

  open(): void {
    const { openMs, longestOpenMs } = this.#options;
    this.#openUntil = this.#clock.monotonic() + Math.min(longestOpenMs, openMs * 2 ** this.#opened);
    this.#opened += 1;
  }

  close(): void {
    this.#openUntil = undefined;
    this.#opened = 0;
    this.#failures = 0;
  }

  noteAnswer(): void {
    // An answer to what was asked before it opened closes nothing: only a trial does.
    if (this.state === 'open') return;
    this.close();
  }

  noteSilence(): void {
    this.#failures += 1;
    const isTrial = this.state === 'half_open';
    if (isTrial || (this.state === 'closed' && this.#failures >= this.#options.failures)) {
      this.open();
    }
  }
}
