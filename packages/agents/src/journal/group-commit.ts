import { type Clock, describeFailure, type NewId } from '@buddy/core';
import type { Operation } from '../durable/workflow-store.ts';
import { JournalWriteError } from './errors.ts';
import type { Write } from './journal-writer.ts';
import type { BatchWriter } from './writer-thread.ts';

interface Waiting {
  write: Write;
  resolve: () => void;
  /** Of what may be refused; all else is tried until it is kept. */
  offered: { request: string; refuse: (error: JournalWriteError) => void } | undefined;
}

/** Nothing can be kept, from a commit that failed until the next that does not. */
interface Stall {
  over: PromiseWithResolvers<void>;
  cause: unknown;
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
  readonly #newRequest: NewId;
  #waiting: Waiting[] = [];
  #isWriting = false;
  #stall: Stall | undefined;
  #whenSettled: PromiseWithResolvers<void> | undefined;
  readonly #closing = new AbortController();
  #isClosed = false;

  /** @param newRequest Names what is offered, otherwise than any process before has. */
  constructor(writer: BatchWriter, clock: Clock, newRequest: NewId) {
    this.#writer = writer;
    this.#clock = clock;
    this.#newRequest = newRequest;
  }

  /** Whatever waits for this when it is closed waits for ever, as for a process that has ended. */
  keep(operation: Operation): Promise<void> {
    if (this.#isClosed) return new Promise(() => undefined);
    const write: Write = { kind: 'keep', operation };
    return new Promise((resolve) => this.#add({ write, resolve, offered: undefined }));
  }

  offer(operation: Operation): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#stall) return Promise.reject(cannotWrite(this.#stall.cause));
    const request = this.#newRequest();
    const write: Write = { kind: 'keep', operation, request };
    return new Promise((resolve, refuse) =>
      this.#add({ write, resolve, offered: { request, refuse } }),
    );
  }

  stalled(): Promise<void> | undefined {
    return this.#stall?.over.promise;
  }

  async settled(): Promise<void> {
    if (!this.#isWriting && this.#waiting.length === 0) return;
    this.#whenSettled ??= Promise.withResolvers<void>();
    await this.#whenSettled.promise;
  }

  /** Writes what waits, and takes no more. Tries but once more when that fails, so that what was refused is taken back. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    await this.settled();
    this.#isClosed = true;
    await this.#writer.close();
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Together with what else comes in this turn.
    queueMicrotask(() => void this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const isLastTry = this.#closing.signal.aborted;
      const batch = this.#nextBatch();
      try {
        await this.#clock.external(() => this.#writer.write(batch.map(({ write }) => write)));
      } catch (error) {
        this.#failed(batch, error);
        if (isLastTry) break;
        await this.#pause();
        continue;
      }
      this.#stall?.over.resolve();
      this.#stall = undefined;
      for (const { resolve } of batch) resolve();
    }
    this.#isWriting = false;
    this.#whenSettled?.resolve();
    this.#whenSettled = undefined;
  }

  /**
   * Ends with a compaction: that spares what runs, and to write it again together with what came later would find that less
   * runs than did.
   */
  #nextBatch(): readonly Waiting[] {
    const batch = this.#waiting.splice(0, LARGEST_BATCH);
    const compaction = batch.findIndex(({ write }) => write.operation.kind === 'compacted');
    if (compaction !== -1) this.#waiting.unshift(...batch.splice(compaction + 1));
    return batch;
  }

  /**
   * Who may be refused is told so; everything else goes to the front again. A commit that failed may have been kept all the
   * same, so what was refused is taken back with the next.
   */
  #failed(batch: readonly Waiting[], cause: unknown): void {
    this.#stall = { over: this.#stall?.over ?? Promise.withResolvers<void>(), cause };
    const again = batch.map((waiting): Waiting => {
      const { write, offered } = waiting;
      if (!offered) return waiting;
      const { request } = offered;
      return {
        write: { kind: 'retract', operation: write.operation, request },
        resolve: () => undefined,
        offered: undefined,
      };
    });
    // What was offered since was not written, and must not wait for a disk that may stay full.
    const kept = this.#waiting.filter(({ offered }) => offered === undefined);
    for (const { offered } of [...batch, ...this.#waiting]) offered?.refuse(cannotWrite(cause));
    this.#waiting = [...again, ...kept];
  }

  async #pause(): Promise<void> {
    try {
      await this.#clock.sleep(RETRY_MS, this.#closing.signal);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}

function cannotWrite(cause: unknown): JournalWriteError {
  return new JournalWriteError(
    `The journal cannot be written, and nothing was done: ${describeFailure(cause).message}`,
    { cause, retryable: true },
  );
}

function closed(): JournalWriteError {
  return new JournalWriteError('The journal is closed');
}
