import { setImmediate } from 'node:timers';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { describeFailure } from '@buddy/core';
import { StoreWriteError } from '../errors.ts';

interface Waiting {
  work: () => void;
  kept: () => void;
  failed: (error: unknown) => void;
}

/**
 * Writes what is asked for in one turn of the event loop in one transaction, each in a savepoint of its own: what one
 * writer does wrong fails for that writer alone. At the end of the turn, for each timer and each answer that is due in it
 * has a `nextTick` of its own: groups of one.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<
    Record<'begin' | 'commit' | 'save' | 'release' | 'back', StatementSync>
  >;
  readonly #beforeCommit: () => void;
  #waiting: Waiting[] = [];

  /** @param beforeCommit Writes what is written once for each transaction. */
  constructor(database: DatabaseSync, beforeCommit: () => void) {
    this.#database = database;
    this.#beforeCommit = beforeCommit;
    this.#statements = {
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      save: database.prepare('SAVEPOINT one'),
      release: database.prepare('RELEASE one'),
      back: database.prepare('ROLLBACK TO one'),
    };
  }

  /** Does `work`, which is synchronous, in the next transaction; resolves when that is kept. */
  write(work: () => void): Promise<void> {
    return new Promise((kept, failed) => {
      this.#waiting.push({ work, kept, failed });
      if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes now what waits. */
  flush(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    const { begin, commit } = this.#statements;
    const done: Waiting[] = [];
    try {
      begin.run();
      for (const one of group) if (this.#writeOne(one)) done.push(one);
      this.#beforeCommit();
      commit.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      // Who failed alone was told; telling twice does nothing.
      for (const { failed } of group) failed(writeError(error));
      return;
    }
    for (const { kept } of done) kept();
  }

  #writeOne({ work, failed }: Waiting): boolean {
    const { save, release, back } = this.#statements;
    save.run();
    try {
      work();
      release.run();
      return true;
    } catch (error) {
      back.run();
      release.run();
      failed(writeError(error));
      return false;
    }
  }
}

function writeError(error: unknown): StoreWriteError {
  if (error instanceof StoreWriteError) return error;
  const { message } = describeFailure(error);
  return new StoreWriteError(`The incident file could not be written: ${message}`, {
    cause: error,
    retryable: true,
  });
}
