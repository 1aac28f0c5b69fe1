import { type Clock, describeFailure } from '@buddy/core';
import { backgroundSleep } from './background-sleep.ts';
import type { Ledger, LedgerTransaction } from './ledger.ts';

export interface OwedWrite {
  write: (transaction: LedgerTransaction) => void;
  /** After it is on the disk. */
  tell: () => void;
}

interface OwedWritesParts {
  ledger: Pick<Ledger, 'write'>;
  clock: Clock;
  /** One that cannot be written though others can; it is owed no more. */
  onLost: (error: unknown) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * What has happened and could not be written when it did. It is written as soon as the ledger takes it: before whatever
 * asks for `settle`, and by itself, again and again, the pauses growing to a minute.
 */
export class OwedWrites implements AsyncDisposable {
  readonly #parts: OwedWritesParts;
  readonly #stop = new AbortController();
  #owed: readonly OwedWrite[] = [];
  #settling: Promise<void> | undefined;
  #isRetrying = false;

  constructor(parts: OwedWritesParts) {
    this.#parts = parts;
  }

  add(owed: OwedWrite): void {
    this.#owed = [...this.#owed, owed];
    if (this.#isRetrying || this.#stop.signal.aborted) return;
    this.#isRetrying = true;
    void this.#retry();
  }

  /**
   * Resolves when nothing is owed.
   * @throws {LedgerWriteError} When the ledger takes nothing. Also `LedgerClosedError`.
   */
  settle(): Promise<void> {
    if (this.#settling) return this.#settling;
    if (this.#owed.length === 0) return Promise.resolve();
    this.#settling = this.#parts.clock
      .external(() => this.#writeAll())
      .finally(() => {
        this.#settling = undefined;
      });
    return this.#settling;
  }

  /** Tries a last time, and no more. Throws as `settle` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.settle();
  }

  async #retry(): Promise<void> {
    for (let ms = FIRST_RETRY_MS; this.#owed.length > 0; ms = Math.min(2 * ms, LONGEST_RETRY_MS)) {
      try {
        await backgroundSleep(this.#parts.clock, ms, this.#stop.signal);
      } catch {
        break; // stopped: whoever stops it tries once more
      }
      await this.settle().catch(() => undefined); // tried again after a longer pause
    }
    this.#isRetrying = false;
  }

  async #writeAll(): Promise<void> {
    const together = this.#owed;
    const failure = await this.#writeSome(together);
    // It may be one of them that no group with it can be written.
    if (failure !== undefined && together.length > 1) await this.#writeEach(together, failure);
    else if (failure !== undefined) throw failure;
  }

  /** One by one; those that fail while others do not are given up, for else nothing would ever be written again. */
  async #writeEach(all: readonly OwedWrite[], failure: unknown): Promise<void> {
    const failed: { owed: OwedWrite; error: unknown }[] = [];
    let written = 0;
    for (const owed of all) {
      if (written === 0 && failed.length >= MOST_IN_VAIN) break;
      const error = await this.#writeSome([owed]);
      if (error === undefined) written += 1;
      else failed.push({ owed, error });
    }
    if (written === 0) throw failure;
    const lost = new Set(failed.map(({ owed }) => owed));
    this.#owed = this.#owed.filter((owed) => !lost.has(owed));
    for (const { error } of failed) this.#parts.onLost(error);
  }

  /** Why the ledger takes none of them; undefined when each is written, or cannot ever be. */
  async #writeSome(some: readonly OwedWrite[]): Promise<unknown> {
    const { ledger, onLost } = this.#parts;
    const results = await Promise.allSettled(some.map(({ write }) => ledger.write(write)));
    const isTaken = (at: number): boolean => {
      const result = results[at];
      return result?.status === 'fulfilled' || !isLedgerFailure(result?.reason);
    };
    const taken = new Set(some.filter((_owed, at) => isTaken(at)));
    this.#owed = this.#owed.filter((owed) => !taken.has(owed));
    for (const [at, { tell }] of some.entries()) {
      const result = results[at];
      if (result?.status === 'fulfilled') tell();
      else if (isTaken(at)) onLost(result?.reason);
    }
    const failed = results.find((_result, at) => !isTaken(at));
    return failed?.status === 'rejected' ? failed.reason : undefined;
  }
}

/** So many are tried one by one before the ledger is taken to be what is broken. */
const MOST_IN_VAIN = 8;

/** Whether it is the ledger that failed, and not what was to be written. */
export function isLedgerFailure(error: unknown): boolean {
  const { code } = describeFailure(error);
  return code === 'GOVERNANCE_LEDGER_WRITE_FAILED' || code === 'GOVERNANCE_LEDGER_CLOSED';
}
