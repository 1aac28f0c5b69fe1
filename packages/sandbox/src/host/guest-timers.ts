import type { Journal } from '../replay/journal.ts';
import type { ConversationEnding } from './conversation.ts';

export interface GuestTimerPorts {
  /** Timers that may wait at a time. */
  allowed: number;
  journal: Journal;
  signal: AbortSignal;
  /** Milliseconds since the run began. */
  elapsedMs: () => number;
}

/** The timers of one run: the host waits for them, so that a replay waits alike. */
export class GuestTimers {
  readonly #ports: GuestTimerPorts;
  #waiting = 0;
  #isClosed = false;

  constructor(ports: GuestTimerPorts) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Nobody waits for them any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Takes in a timer; what it does to the run, when it ends it. */
  hear(id: number, ms: number): ConversationEnding | undefined {
    const { allowed, journal, elapsedMs } = this.#ports;
    if (this.#waiting >= allowed)
      return { kind: 'limit', limit: 'timers', allowed, used: this.#waiting + 1 };
    const text = `timer ${ms}`;
    switch (journal.ask(id, text)) {
      case 'out-of-order':
        return { kind: 'misbehaved', reason: 'It counted its questions wrong' };
      case 'diverged':
        return { kind: 'diverged' };
      case 'recorded':
        return undefined;
      case 'new':
        void this.#sleep(id, text, ms, elapsedMs() + ms);
        return undefined;
    }
  }

  async #sleep(id: number, text: string, ms: number, dueMs: number): Promise<void> {
    const { journal, signal } = this.#ports;
    this.#waiting += 1;
    const isAborted = await wait(ms, signal);
    this.#waiting -= 1;
    if (!isAborted && !this.#isClosed) journal.answer(id, text, { ok: true, value: null }, dueMs);
  }
}

/** Whether it was aborted. In real time whatever the clock: a guest lives in real time. */
function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const abort = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve(false);
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
