import type { DatabaseSync } from 'node:sqlite';
import { type Clock, describeFailure } from '@buddy/core';
import { LedgerClosedError, LedgerWriteError } from '../errors.ts';
import type { AuditEntry, AuditEntryBody } from './entry.ts';
import type { EntryLog } from './entry-log.ts';
import { LedgerMisuseError } from './errors.ts';
import type { LedgerTransaction } from './ledger.ts';
import { prepared } from './prepared.ts';

interface GroupCommitPorts {
  clock: Clock;
  log: EntryLog;
  /** When a group is committed. Default: in the next turn of the event loop. */
  schedule?: ((commit: () => void) => void) | undefined;
  /** How long a group waits for other processes that write, in ms. */
  busyTimeoutMs: number;
  /** Default `COMMIT`; tests make it fail. */
  commit?: ((database: DatabaseSync) => void) | undefined;
}

interface Waiting {
  /** Runs it, and keeps what it returned until the group is on the disk. */
  run: (transaction: LedgerTransaction) => void;
  committed: () => void;
  failed: (error: unknown) => void;
}

/** Pauses between two tries to begin while another process writes, as SQLite's own are; nothing here stands still meanwhile. */
const BUSY_PAUSES_MS = [1, 2, 5, 10, 15, 20, 25] as const;
const LONGEST_BUSY_PAUSE_MS = 25;

/** So many writes in one transaction: more would make the first wait for the last, and save hardly a thing. */
const LARGEST_GROUP = 512;

/**
 * Commits together what was asked for in one turn of the event loop: a commit waits for the disk, and the disk takes as
 * long for sixty changes as for one.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #log: EntryLog;
  readonly #schedule: (commit: () => void) => void;
  readonly #commit: (database: DatabaseSync) => void;
  readonly #busyTimeoutMs: number;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isClosed = false;
  /** How often, and how long in all, the group that is next has found the database busy. */
  #busy = { times: 0, ms: 0 };
  #emptied: (() => void) | undefined;

  constructor(
    database: DatabaseSync,
    {
      clock,
      log,
      busyTimeoutMs,
      schedule = (commit) => setImmediate(commit),
      commit = (open) => open.exec('COMMIT'),
    }: GroupCommitPorts,
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#schedule = schedule;
    this.#commit = commit;
  }

  write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new LedgerClosedError('The ledger is closed.'));
    return new Promise<T>((resolve, reject) => {
      let result: { value: T } | undefined;
      this.#waiting.push({
        run: (transaction) => {
          const value = work(transaction);
          if (value instanceof Promise) {
            value.catch(() => undefined); // nobody else will
            throw new LedgerMisuseError(
              'Work in the ledger must be synchronous, and this returned a promise.',
            );
          }
          result = { value };
        },
        committed: () => {
          if (result) resolve(result.value);
        },
        failed: reject,
      });
      this.#scheduleCommit();
    });
  }

  /** Does it at once, in a transaction of its own; waits for other processes as the database was told to, standing still. */
  runNow<T>(work: (transaction: LedgerTransaction) => T): T {
    return this.#transact((at) => work(new Session(this.#database, this.#log, at)));
  }

  /** Commits what waits, and takes no more. Resolves when nothing waits. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      this.#scheduleCommit();
    });
  }

  #scheduleCommit(pauseMs?: number): void {
    if (this.#isScheduled) return;
    if (this.#waiting.length === 0) {
      this.#emptied?.();
      return;
    }
    this.#isScheduled = true;
    const commit = (): void => {
      this.#isScheduled = false;
      this.#scheduleCommit(this.#commitGroup());
    };
    if (pauseMs === undefined) this.#schedule(commit);
    else setTimeout(commit, pauseMs);
  }

  /** How long to wait before the next try, where another process writes; undefined where none does. */
  #commitGroup(): number | undefined {
    if (this.#waiting.length === 0) return undefined;
    let failure: unknown;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      const pause = isBusy(error) ? this.#nextPause() : undefined;
      if (pause !== undefined) return pause;
      failure = error;
    }
    this.#busy = { times: 0, ms: 0 };
    const group = this.#waiting.splice(0, LARGEST_GROUP);
    const [first] = group;
    if (first && group.length === 1 && failure === undefined) {
      this.#commitAlone(first);
      return undefined;
    }
    let done: Waiting[];
    try {
      if (failure !== undefined) throw this.#failed(failure);
      done = this.#commitWork((at) => group.filter((waiting) => this.#runOne(waiting, at)));
    } catch (error) {
      // Those that failed by themselves have been told why, and do not hear this.
      for (const { failed } of group) failed(error);
      return undefined;
    }
    for (const { committed } of done) committed();
    return undefined;
  }

  /** Nobody else is in its transaction, so that needs no savepoint: SQLite copies each page that changes within one. */
  #commitAlone(waiting: Waiting): void {
    try {
      this.#log.begin();
      const at = this.#clock.now();
      const goBack = this.#log.mark();
      try {
        this.#run(waiting, at);
      } catch (error) {
        if (!this.#isOwnFailure(error)) throw error;
        this.#database.exec('ROLLBACK');
        goBack();
        waiting.failed(error);
        return;
      }
      this.#log.seal(at);
      this.#commit(this.#database);
    } catch (error) {
      waiting.failed(this.#failed(error));
      return;
    }
    this.#log.ended(true);
    waiting.committed();
  }

  /** Undefined when it has waited for long enough. Counted by the pauses, for a clock of our own making stands meanwhile. */
  #nextPause(): number | undefined {
    const { times, ms } = this.#busy;
    if (ms >= this.#busyTimeoutMs) return undefined;
    const pause = Math.min(
      BUSY_PAUSES_MS[times] ?? LONGEST_BUSY_PAUSE_MS,
      this.#busyTimeoutMs - ms,
    );
    this.#busy = { times: times + 1, ms: ms + pause };
    return pause;
  }

  /** @throws {LedgerWriteError} When it could not be committed; nothing of it is kept. */
  #transact<T>(body: (at: number) => T): T {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      throw this.#failed(error);
    }
    return this.#commitWork(body);
  }

  /** The transaction has begun. */
  #commitWork<T>(body: (at: number) => T): T {
    let result: T;
    try {
      this.#log.begin();
      const at = this.#clock.now();
      result = body(at);
      this.#log.seal(at);
      this.#commit(this.#database);
    } catch (error) {
      throw this.#failed(error);
    }
    this.#log.ended(true);
    return result;
  }

  #failed(error: unknown): LedgerWriteError {
    this.#undo();
    return new LedgerWriteError(
      `The ledger cannot be written, and nothing of what was asked for is kept: ${describeFailure(error).message}`,
      { cause: error, retryable: true },
    );
  }

  /** Whether it came to its end. One that throws leaves nothing behind, and the others do not notice. */
  #runOne(waiting: Waiting, at: number): boolean {
    const goBack = this.#log.mark();
    this.#savepoint('SAVEPOINT work');
    try {
      this.#run(waiting, at);
    } catch (error) {
      if (!this.#isOwnFailure(error)) throw error;
      this.#savepoint('ROLLBACK TO work');
      this.#savepoint('RELEASE work');
      goBack();
      waiting.failed(error);
      return false;
    }
    this.#savepoint('RELEASE work');
    return true;
  }

  #run(waiting: Waiting, at: number): void {
    const session = new Session(this.#database, this.#log, at);
    try {
      waiting.run(session);
      session.throwIfBroken();
    } finally {
      session.isOver = true;
    }
  }

  /** The disk is full, or gone: that is the whole group's failure, and no fault of this work. */
  #isOwnFailure(error: unknown): boolean {
    return this.#database.isTransaction && !isDiskFailure(error);
  }

  #savepoint(sql: 'SAVEPOINT work' | 'RELEASE work' | 'ROLLBACK TO work'): void {
    prepared(this.#database, sql).run();
  }

  #undo(): void {
    try {
      // SQLite may have rolled back by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      // The failure that led here is the one to tell; that nothing can be begun any more is told by the next BEGIN.
    }
    this.#log.ended(false);
  }
}

/** What one piece of work is given, for as long as it lasts. */
class Session implements LedgerTransaction {
  readonly at: number;
  readonly #database: DatabaseSync;
  readonly #log: EntryLog;
  isOver = false;
  /** The first failure of the log itself: work that goes on regardless must not be kept. */
  #broken: { error: unknown } | undefined;

  constructor(database: DatabaseSync, log: EntryLog, at: number) {
    this.#database = database;
    this.#log = log;
    this.at = at;
  }

  get database(): DatabaseSync {
    this.#throwIfOver();
    return this.#database;
  }

  append = (entry: AuditEntryBody): AuditEntry => {
    this.#throwIfOver();
    try {
      return this.#log.append(entry, this.at);
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
  };

  throwIfBroken(): void {
    if (this.#broken) throw this.#broken.error;
  }

  #throwIfOver(): void {
    if (this.isOver) {
      throw new LedgerMisuseError(
        'The transaction is over; what belongs into it must be done before the work returns.',
      );
    }
  }
}

/** SQLite's primary result codes for a disk that does not do its part: no memory, read-only, I/O, corrupt, full, cannot open. */
const DISK_FAILURES: ReadonlySet<number> = new Set([7, 8, 10, 11, 13, 14, 26]);

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return codeOf(error) % 256 === SQLITE_BUSY;
}

function codeOf(error: unknown): number {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
  return typeof code === 'number' ? code : 0;
}

function isDiskFailure(error: unknown): boolean {
  return DISK_FAILURES.has(codeOf(error) % 256);
}
