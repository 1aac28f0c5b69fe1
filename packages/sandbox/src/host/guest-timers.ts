import type { Clock } from '@buddy/core';
import type { Journal } from '../replay/journal.ts';
import type { ConversationEnding } from './conversation.ts';

export interface GuestTimerPorts {
  /** Timers that may wait at a time. */
  allowed: number;
  journal: Journal;
  signal: AbortSignal;
  clock: Clock;
  /** Milliseconds since the run began. */
  elapsedMs: () => number;
  /** Does what the host does of its own when the child has had its turn. */
  inTurn: (act: () => void) => void;
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
    const { allowed, journal, elapsedMs, inTurn } = this.#ports;
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
        this.#waiting += 1;
        inTurn(() => void this.#sleep(id, text, ms, elapsedMs() + ms));
        return undefined;
    }
  }

  async #sleep(id: number, text: string, ms: number, dueMs: number): Promise<void> {
    const { journal, signal, clock } = this.#ports;
    const isAborted = await clock.sleep(ms, signal).then(
      () => false,
      () => true,
    );
    this.#waiting -= 1;
    if (!isAborted && !this.#isClosed) journal.answer(id, text, { ok: true, value: null }, dueMs);
  }
}
