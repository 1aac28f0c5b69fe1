import type { WireCall } from '../wire/provider.ts';
import { GraphRefusal } from './refusal.ts';

const WINDOW_MS = 600_000;
const REQUESTS_PER_WINDOW = 10_000;
const CONCURRENT_REQUESTS = 4;

/**
 * Graph's limits for one app and mailbox: 10 000 requests in 10 minutes, and 4 at once. The windows follow each other
 * without a gap. At the vendor the fifth concurrent request is refused now and then; here it always is.
 */
export class Throttle {
  #windowStartedAt = 0;
  #requests = 0;

  /** Counts a request. @throws {GraphRefusal} When it is over a limit and the limits are in force. */
  count({ at, inFlight, areLimitsEnforced }: WireCall): void {
    if (at - this.#windowStartedAt >= WINDOW_MS) {
      this.#windowStartedAt = at - ((at - this.#windowStartedAt) % WINDOW_MS);
      this.#requests = 0;
    }
    this.#requests += 1;
    if (!areLimitsEnforced) return;
    if (this.#requests > REQUESTS_PER_WINDOW) {
      const waitMs = this.#windowStartedAt + WINDOW_MS - at;
      throw new GraphRefusal(429, 'TooManyRequests', 'Too many requests.', retryAfter(waitMs));
    }
    if (inFlight > CONCURRENT_REQUESTS) {
      throw new GraphRefusal(
        429,
        'ApplicationThrottled',
        'Application is over its MailboxConcurrency limit.',
        retryAfter(1_000),
      );
    }
  }

  snapshot(): { windowStartedAt: number; requests: number } {
    return { windowStartedAt: this.#windowStartedAt, requests: this.#requests };
  }

  restore({ windowStartedAt, requests }: { windowStartedAt: number; requests: number }): void {
    this.#windowStartedAt = windowStartedAt;
    this.#requests = requests;
  }
}

/** Whole seconds, and never less than was asked for. */
export function retryAfter(ms: number): Readonly<Record<string, string>> {
  return { 'retry-after': String(Math.ceil(ms / 1_000)) };
}
