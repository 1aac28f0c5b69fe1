import type { RestartPolicy } from '../bot/bot.ts';

/**
 * The restarts of the last `periodMs`, whenever that is: a window that slides, as in Erlang's supervisors. Only the time counts for
 * which the bot was ready: what it takes to boot and what we wait before a restart would else let one that never works drop
 * out of the window for ever.
 */
export class RestartWindow {
  #ranMs = 0;
  /** At what time of `#ranMs` there was a restart. */
  #at: number[] = [];

  /** @param ms From when it was ready to when it ended, or had to; on the monotonic clock, so that nobody who sets the machine's time makes a bot immortal. */
  ran(ms: number): void {
    this.#ranMs += ms;
  }

  /** How many there were by now. */
  count({ periodMs }: Pick<RestartPolicy, 'periodMs'>): number {
    this.#at = this.#at.filter((at) => this.#ranMs - at < periodMs);
    return this.#at.length;
  }

  add(): void {
    this.#at.push(this.#ranMs);
  }

  clear(): void {
    this.#at = [];
  }
}
