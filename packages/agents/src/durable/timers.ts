import type { Clock } from '@buddy/core';

interface TimersHost {
  readonly clock: Clock;
  readonly isClosed: boolean;
}

interface Timer {
  /** Whether the time has passed, or the timer was stopped; never anything once the engine is closed. */
  isOver: Promise<boolean>;
  stop: () => void;
}

/** The timers of one workflow. */
export class Timers {
  readonly #host: TimersHost;
  readonly #running = new Set<AbortController>();

  constructor(host: TimersHost) {
    this.#host = host;
  }

  start(ms: number): Timer {
    const stopped = new AbortController();
    return { isOver: this.#sleep(ms, stopped), stop: () => stopped.abort() };
  }

  /** Lets go of all; whatever waits for them waits for ever, when the engine was closed before. */
  drop(): void {
    for (const timer of this.#running) timer.abort();
  }

  async #sleep(ms: number, stopped: AbortController): Promise<boolean> {
    if (this.#host.isClosed) return forever();
    this.#running.add(stopped);
    try {
      await this.#host.clock.sleep(ms, stopped.signal);
      return true;
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
      return this.#host.isClosed ? forever() : false;
    } finally {
      this.#running.delete(stopped);
    }
  }
}

export function forever(): Promise<never> {
  return new Promise(() => undefined);
}
