import { z } from 'zod';

const DAY_MS = 86_400_000;

export const QuotaState = z.strictObject({ day: z.int(), used: z.int().nonnegative() });
type QuotaState = z.output<typeof QuotaState>;

/** How many people an account may extract in a UTC day. */
export class Quota {
  readonly #limit: number;
  #state: QuotaState = { day: 0, used: 0 };

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns Whether there was one left. */
  take(now: number): boolean {
    this.#turn(now);
    if (this.#state.used >= this.#limit) return false;
    this.#state.used += 1;
    return true;
  }

  left(now: number) {
    this.#turn(now);
    const { day, used } = this.#state;
    const resetsAt = new Date((day + 1) * DAY_MS).toISOString();
    return { limit: this.#limit, used, remaining: Math.max(0, this.#limit - used), resetsAt };
  }

  state(): QuotaState {
    return this.#state;
  }

  reset(state: QuotaState = { day: 0, used: 0 }): void {
    this.#state = { ...state };
  }

  #turn(now: number): void {
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#state.day) this.#state = { day, used: 0 };
  }
}
