import type { DatabaseSync } from 'node:sqlite';
import type { AuditEntry, AuditEntryBody } from './entry.ts';

/**
 * The one place where governance keeps what must not be lost: the audit log, approvals, limits. One SQLite file (WAL,
 * synchronous FULL); every change goes through `write`, and several processes may have it open.
 */
export interface Ledger extends AsyncDisposable {
  /**
   * Runs `work` in the next group commit and resolves with what it returned once that is on the disk. What `work` changed
   * and appended is kept together or not at all: when it throws, only its own changes are undone, and the promise rejects
   * with its error. `work` must be synchronous.
   * @throws {LedgerWriteError} When the commit failed: nothing of the group is kept.
   */
  write<T>(work: (transaction: LedgerTransaction) => T): Promise<T>;
  /** Reads what is committed. `work` must not change anything. */
  read<T>(work: (database: DatabaseSync) => T): T;
  close(): Promise<void>;
}

export interface LedgerTransaction {
  readonly database: DatabaseSync;
  /** The clock's time, ms since the epoch; entries appended bear it. */
  readonly at: number;
  /** Adds an entry to the log's end, in this transaction. */
  append(entry: AuditEntryBody): AuditEntry;
}
