import { type Clock, describeFailure, type Logger } from '@buddy/core';
import { backgroundSleep } from '../ledger/background-sleep.ts';

export interface DueWatchParts {
  clock: Clock;
  logger: Logger;
  /** When the next request expires or is escalated, in ms since the epoch; undefined when none ever is. */
  nextDue: () => number | undefined;
  /** Ends and escalates what is due. */
  expireDue: () => Promise<unknown>;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Ends and escalates requests when their time comes, though nobody asks for them. Sleeps until then, and not at all when nothing is open. */
export class DueWatch implements AsyncDisposable {
  readonly #parts: DueWatchParts;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #wake = new AbortController();
  #sleepsUntil = Number.NEGATIVE_INFINITY;

  constructor(parts: DueWatchParts) {
    this.#parts = parts;
    this.#ended = this.#watch();
  }

  /** Something will be due at that moment. */
  note(dueAt: number): void {
    if (dueAt < this.#sleepsUntil) this.#wake.abort();
  }

  /** Resolves when what was under way is done; nothing is begun after. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #watch(): Promise<void> {
    const { logger } = this.#parts;
    for (let retryMs = FIRST_RETRY_MS; !this.#stop.signal.aborted;) {
      try {
        await this.#sleepUntilDue();
        if (this.#stop.signal.aborted) return;
        await this.#expire();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        logger.warn({ failure: describeFailure(error) }, 'What is due could not be expired yet');
        await this.#sleep(retryMs);
        retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
      }
    }
  }

  async #sleepUntilDue(): Promise<void> {
    for (;;) {
      this.#wake = new AbortController();
      this.#sleepsUntil = Number.POSITIVE_INFINITY; // what is noted from here on wakes us
      const dueAt = this.#parts.nextDue() ?? Number.POSITIVE_INFINITY;
      const left = dueAt - this.#parts.clock.now();
      if (left <= 0 || this.#stop.signal.aborted) return;
      this.#sleepsUntil = dueAt;
      await this.#sleep(left);
      if (this.#stop.signal.aborted) return;
    }
  }

  async #expire(): Promise<void> {
    const { clock, nextDue, expireDue } = this.#parts;
    await expireDue();
    const next = nextDue();
    // Another clock than ours would have this go round and round.
    if (next !== undefined && next <= clock.now()) await this.#sleep(FIRST_RETRY_MS);
  }

  async #sleep(ms: number): Promise<void> {
    const either = AbortSignal.any([this.#stop.signal, this.#wake.signal]);
    if (either.aborted) return;
    if (ms === Number.POSITIVE_INFINITY) {
      await new Promise((resolve) => either.addEventListener('abort', resolve, { once: true }));
      return;
    }
    await backgroundSleep(this.#parts.clock, ms, either).catch((error: unknown) => {
      if (!either.aborted) throw error;
    });
  }
}
