import type { RestartPolicy } from '../bot/bot.ts';

/** The restarts of the last `periodMs`, whenever that is: a window that slides, as in Erlang's supervisors. */
export class RestartWindow {
  /** On the monotonic clock, so that nobody who sets the machine's time makes a bot immortal. */
  #at: number[] = [];

  /** How many there were by now. */
  count(now: number, { periodMs }: Pick<RestartPolicy, 'periodMs'>): number {
    this.#at = this.#at.filter((at) => now - at < periodMs);
    return this.#at.length;
  }

  add(now: number): void {
    this.#at.push(now);
  }

  clear(): void {
    this.#at = [];
  }
}
