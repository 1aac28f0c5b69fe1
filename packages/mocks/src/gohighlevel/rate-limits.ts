import { z } from 'zod';

/** The provider's own limits, per app and location. */
const BURST = 100;
export const BURST_WINDOW_MS = 10_000;
const DAILY = 200_000;
const DAY_MS = 86_400_000;

export const RateLimitState = z.strictObject({
  windowStartedAt: z.number(),
  inWindow: z.int().nonnegative(),
  day: z.int(),
  today: z.int().nonnegative(),
});
export type RateLimitState = z.output<typeof RateLimitState>;

/** Counts calls in windows of ten seconds, each beginning with the first call after the one before, and in UTC days. */
export class RateLimits {
  #state: RateLimitState = { windowStartedAt: 0, inWindow: 0, day: 0, today: 0 };
  /** Calls of this window that are counted: one may pass here twice, when a fault follows what it did. */
  readonly #counted = new Set<string>();

  /** @returns Whether it is within both limits. A call that is not does not count. */
  admit(requestId: string, now: number): boolean {
    this.#turn(now);
    if (this.#counted.has(requestId)) return true;
    if (this.#state.inWindow >= BURST || this.#state.today >= DAILY) return false;
    this.#state.inWindow += 1;
    this.#state.today += 1;
    this.#counted.add(requestId);
    return true;
  }

  /** What every answer says of the limits. */
  headers(isEnforced: boolean): Record<string, string> {
    const { inWindow, today } = this.#state;
    // Where nobody is refused, nobody is told that nothing is left.
    const least = isEnforced ? 0 : 1;
    return {
      'x-ratelimit-limit-daily': String(DAILY),
      'x-ratelimit-daily-remaining': String(Math.max(least, DAILY - today)),
      'x-ratelimit-interval-milliseconds': String(BURST_WINDOW_MS),
      'x-ratelimit-max': String(BURST),
      'x-ratelimit-remaining': String(Math.max(least, BURST - inWindow)),
    };
  }

  state(): RateLimitState {
    return { ...this.#state };
  }

  reset(state?: RateLimitState): void {
    this.#state = state ? { ...state } : { windowStartedAt: 0, inWindow: 0, day: 0, today: 0 };
    this.#counted.clear();
  }

  #turn(now: number): void {
    const { windowStartedAt } = this.#state;
    if (now < windowStartedAt || now - windowStartedAt >= BURST_WINDOW_MS) {
      this.#state.windowStartedAt = now;
      this.#state.inWindow = 0;
      this.#counted.clear();
    }
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#state.day) {
      this.#state.day = day;
      this.#state.today = 0;
    }
  }
}
