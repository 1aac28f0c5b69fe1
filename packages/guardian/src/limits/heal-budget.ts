export interface HealBudgetOptions {
  /** So many healings of whatever resource are let through in a window. */
  most: number;
  windowMs: number;
  /** Share of them that only resources on which others depend may use, 0..1. */
  reservedShare: number;
}

/**
 * One budget for all healings, a share of it reserved for causes: however many dependants are sick, they cannot use up
 * what is needed to heal that which made them so. Times are monotonic ms.
 */
export class HealBudget {
  readonly #options: HealBudgetOptions;
  readonly #stamps: number[] = [];

  constructor(options: HealBudgetOptions) {
    this.#options = options;
  }

  check(isCause: boolean, now: number): { allowed: true } | { allowed: false; retryAt: number } {
    const { most, windowMs, reservedShare } = this.#options;
    // They stand in the order of time, so what has left the window stands first.
    while ((this.#stamps[0] ?? now) <= now - windowMs) this.#stamps.shift();
    const share = isCause ? most : unreserved(most, reservedShare);
    if (this.#stamps.length < share) return { allowed: true };
    // When so many have left the window that one more fits.
    const leaving = this.#stamps[this.#stamps.length - share] ?? now;
    return { allowed: false, retryAt: leaving + windowMs };
  }

  /** @returns What takes the count back, for a healing that did not take place. */
  count(now: number): () => void {
    this.#stamps.push(now);
    return () => {
      const place = this.#stamps.lastIndexOf(now);
      if (place >= 0) this.#stamps.splice(place, 1);
    };
  }
}

/** How many of a budget are for whatever resource. */
export function unreserved(most: number, reservedShare: number): number {
  return Math.floor(most * (1 - reservedShare) + 1e-9); // 10 * (1 - 0.9) is a little less than 1
}
