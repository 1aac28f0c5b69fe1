import { DatabaseSync } from 'node:sqlite';
import { type Clock, describeFailure } from '@buddy/core';
import { LedgerClosedError, LedgerWriteError } from '../errors.ts';
import type { AuditEntry, AuditEntryBody } from './entry.ts';
import type { Ledger, LedgerTransaction } from './ledger.ts';
import { migrate, type Migration } from './migrations.ts';

/** Where entries go: the audit log, as the ledger knows it. */
export interface EntryLog {
  /** At the start of a group: looks at how far the log has come, for another process may have added to it. */
  begin(database: DatabaseSync): void;
  append(database: DatabaseSync, entry: AuditEntryBody, at: number): AuditEntry;
  /** Where it stands now, to be gone back to when the work that is about to be done fails. */
  mark(): unknown;
  backTo(mark: unknown): void;
  /** Before the commit of a group. */
  seal(database: DatabaseSync, at: number): void;
  /** After it, or after it failed. */
  ended(isCommitted: boolean): void;
}

export interface LedgerOptions {
  /** Path of the SQLite file; made when it is not there. */
  file: string;
  migrations: readonly Migration[];
}

export interface LedgerPorts {
  clock: Clock;
  log: EntryLog;
  /** When a group is committed: default in the next turn of the event loop. */
  schedule?: (commit: () => void) => void;
  /** Default `COMMIT`; tests make it fail. */
  commit?: (database: DatabaseSync) => void;
}

interface Waiting {
  /** Runs it; what it returns settles the promise once the group is on the disk, or was not. */
  run: (transaction: LedgerTransaction) => void;
  committed: () => void;
  failed: (error: unknown) => void;
}

const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens the ledger.
 * @throws {LedgerVersionError} When a newer version of the package wrote it.
 */
export function openLedger({ file, migrations }: LedgerOptions, ports: LedgerPorts): Ledger {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;',
    );
    migrate(database, migrations, ports.clock.now());
  } catch (error) {
    database.close();
    throw error;
  }
  return new SqliteLedger(database, ports);
}

class SqliteLedger implements Ledger {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #log: EntryLog;
  readonly #schedule: (commit: () => void) => void;
  readonly #commitNow: (database: DatabaseSync) => void;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(
    database: DatabaseSync,
    { clock, log, schedule = setImmediate, commit = (open) => open.exec('COMMIT') }: LedgerPorts,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#schedule = schedule;
    this.#commitNow = commit;
  }

  write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: { value: T } | undefined;
    this.#waiting.push({
      run: (transaction) => {
        result = { value: work(transaction) };
      },
      committed: () => {
        if (result) resolve(result.value);
      },
      failed: reject,
    });
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#schedule(() => this.#commitGroup());
    }
    return promise;
  }

  read<T>(work: (database: DatabaseSync) => T): T {
    if (this.#isClosed) throw closed();
    return work(this.#database);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#commitGroup();
    this.#isClosed = true;
    this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #commitGroup(): void {
    this.#isScheduled = false;
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    const done: Waiting[] = [];
    const database = this.#database;
    const at = this.#clock.now();
    try {
      database.exec('BEGIN IMMEDIATE');
      this.#log.begin(database);
      for (const waiting of group) {
        if (this.#runOne(waiting, at)) done.push(waiting);
      }
      this.#log.seal(database, at);
      this.#commitNow(database);
      this.#log.ended(true);
    } catch (error) {
      this.#log.ended(false);
      if (database.isTransaction) rollBack(database);
      const failure = new LedgerWriteError(
        `The governance database cannot be written: ${describeFailure(error).message}`,
        { cause: error, retryable: true },
      );
      // Those that failed by themselves have been told why.
      for (const { failed } of group) failed(failure);
      return;
    }
    for (const { committed } of done) committed();
  }

  /** Whether it came to its end. One that throws leaves nothing behind, and the others do not notice. */
  #runOne(waiting: Waiting, at: number): boolean {
    const database = this.#database;
    const mark = this.#log.mark();
    database.exec('SAVEPOINT one');
    try {
      waiting.run({
        database,
        at,
        append: (entry) => this.#log.append(database, entry, at),
      });
    } catch (error) {
      // The disk is full, or gone: that is the whole group's failure, and no fault of this work.
      if (!database.isTransaction || isDiskFailure(error)) throw error;
      database.exec('ROLLBACK TO one');
      database.exec('RELEASE one');
      this.#log.backTo(mark);
      waiting.failed(error);
      return false;
    }
    database.exec('RELEASE one');
    return true;
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite rolls back by itself where it must; what is left open would show in the next BEGIN.
  }
}

/** SQLite's primary result codes for a disk that does not take what is written: readonly, I/O error, corrupt, full. */
const DISK_FAILURES = new Set([8, 10, 11, 13, 26]);

function isDiskFailure(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
  return typeof code === 'number' && DISK_FAILURES.has(code % 256);
}

function closed(): LedgerClosedError {
  return new LedgerClosedError('The governance database is closed.');
}
