import { type Clock, systemClock } from '@buddy/core';

/**
 * Whose turn it is, the child's or the host's, for a clock of its own making: it must not move while the child works, and
 * the host must not act before the child has said all that it has to say. Then a program meets the same times and the same
 * order of answers in every run, however the machine schedules the two processes.
 *
 * On the machine's own clock nobody waits for anybody, and everything is done at once.
 */
export class Turns {
  readonly isTaken: boolean;
  readonly #clock: Clock;
  readonly #later: (() => void)[] = [];
  #child: PromiseWithResolvers<void> | undefined;
  #over: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.isTaken = clock !== systemClock;
  }

  /** Hands the turn to the child by sending it something; when it has the turn already, when that is over. */
  give(send: () => void): void {
    this.afterwards(() => {
      if (this.isTaken) this.#begin();
      send();
    });
  }

  /** Does what the host has to do, when it has the turn. */
  afterwards(act: () => void): void {
    if (this.#child) this.#later.push(act);
    else act();
  }

  /** The child has come to rest, or will never say anything again. */
  end(): void {
    this.#child?.resolve();
  }

  /** Resolves when the host has the turn. */
  async over(): Promise<void> {
    while (this.#over) await this.#over;
  }

  #begin(): void {
    this.#child = Promise.withResolvers<void>();
    this.#over = this.#waitFor(this.#child.promise);
  }

  async #waitFor(rest: Promise<void>): Promise<void> {
    await this.#clock.external(() => rest);
    this.#child = undefined;
    this.#over = undefined;
    while (!this.#child) {
      const act = this.#later.shift();
      if (!act) return;
      act();
    }
  }
}
