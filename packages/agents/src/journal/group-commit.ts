import { type Clock, describeFailure } from '@buddy/core';
import type { Operation } from '../durable/workflow-store.ts';
import { JournalWriteError } from './errors.ts';
import type { Write } from './journal-writer.ts';
import type { BatchWriter } from './writer-thread.ts';

interface Waiting {
  write: Write;
  resolve: () => void;
  /** Of what may be refused; all else is tried until it is kept. */
  refuse: ((error: JournalWriteError) => void) | undefined;
}

/** So many in one transaction: more would make the first wait for the last, and save hardly a thing. */
const LARGEST_BATCH = 1_024;

/** How long to wait before what could not be written is written again; a full disk may take a person. */
const RETRY_MS = 250;

/**
 * Commits together what comes while the disk is busy with what came before: it takes as long for sixty changes as for one.
 * What is kept is kept in the order in which it came.
 */
export class GroupCommit {
  readonly #writer: BatchWriter;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #isWriting = false;
  #stall: PromiseWithResolvers<void> | undefined;
  #whenSettled: PromiseWithResolvers<void> | undefined;
  readonly #closing = new AbortController();

  constructor(writer: BatchWriter, clock: Clock) {
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Whatever waits for this when it is closed waits for ever, as for a process that has ended. */
  keep(operation: Operation): Promise<void> {
    if (this.#closing.signal.aborted) return new Promise(() => undefined);
    return new Promise((resolve) => this.#add(operation, resolve, undefined));
  }

  offer(operation: Operation): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => this.#add(operation, resolve, reject));
  }

  stalled(): Promise<void> | undefined {
    return this.#stall?.promise;
  }

  async settled(): Promise<void> {
    if (!this.#isWriting && this.#waiting.length === 0) return;
    this.#whenSettled ??= Promise.withResolvers<void>();
    await this.#whenSettled.promise;
  }

  /** Writes what waits, unless it cannot be written, and takes no more. */
  async close(): Promise<void> {
    if (!this.#stall) await this.settled();
    this.#closing.abort(closed());
    for (const { refuse } of this.#waiting) refuse?.(closed());
    await this.#writer.close();
  }

  #add(operation: Operation, resolve: () => void, refuse: Waiting['refuse']): void {
    this.#waiting.push({ write: { kind: 'keep', operation }, resolve, refuse });
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Together with what else comes in this turn.
    queueMicrotask(() => void this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closing.signal.aborted) {
      const batch = this.#waiting.splice(0, LARGEST_BATCH);
      try {
        await this.#clock.external(() => this.#writer.write(batch.map(({ write }) => write)));
      } catch (error) {
        this.#failed(batch, error);
        await this.#pause();
        continue;
      }
      this.#stall?.resolve();
      this.#stall = undefined;
      for (const { resolve } of batch) resolve();
    }
    this.#isWriting = false;
    this.#whenSettled?.resolve();
    this.#whenSettled = undefined;
  }

  /**
   * Who may be refused is told so; everything else goes to the front again. A commit that failed may have been kept all the
   * same, so what was refused is taken back with the next.
   */
  #failed(batch: readonly Waiting[], cause: unknown): void {
    this.#stall ??= Promise.withResolvers<void>();
    const error = new JournalWriteError(
      `The journal cannot be written, and nothing was done: ${describeFailure(cause).message}`,
      { cause, retryable: true },
    );
    const again = batch.map((waiting): Waiting => {
      if (!waiting.refuse) return waiting;
      waiting.refuse(error);
      const { operation } = waiting.write;
      return { write: { kind: 'retract', operation }, resolve: () => undefined, refuse: undefined };
    });
    this.#waiting.unshift(...again);
    // What was offered since must not wait for a disk that may stay full.
    for (const waiting of this.#waiting) {
      if (!waiting.refuse) continue;
      waiting.refuse(error);
    }
    this.#waiting = this.#waiting.filter(({ refuse }) => refuse === undefined);
  }

  async #pause(): Promise<void> {
    try {
      await this.#clock.sleep(RETRY_MS, this.#closing.signal);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}

function closed(): JournalWriteError {
  return new JournalWriteError('The journal is closed');
}
