import type { DatabaseSync } from 'node:sqlite';
import type { EventEmitter } from 'eventemitter3';
import type { Checkpoint } from '../audit/checkpoint.ts';
import type { RationaleOptions } from '../audit/rationale.ts';
import type { AuditEntry, AuditEntryBody } from './entry.ts';

/**
 * The one place where governance keeps what must not be lost: the audit log, approvals, limits. One SQLite file (WAL,
 * synchronous FULL); every change goes through `write`, and several processes may have it open.
 */
export interface Ledger extends AsyncDisposable {
  /**
   * Runs `work` in the next group commit and resolves with what it returned once that is on the disk. What `work` changed
   * and appended is kept together or not at all: when it throws, only its own changes are undone, and the promise rejects
   * with its error. `work` must be synchronous, and runs once.
   * @throws {LedgerWriteError} When the commit failed: nothing of the group is kept.
   * @throws {LedgerClosedError} When the ledger is closed.
   */
  write<T>(work: (transaction: LedgerTransaction) => T): Promise<T>;
  /** Reads what is committed, all of it at one moment. What `work` tries to change is refused. */
  read<T>(work: (database: DatabaseSync) => T): T;
  /** Commits what waits, signs a last checkpoint and hands it on. */
  close(): Promise<void>;
}

export interface LedgerTransaction {
  readonly database: DatabaseSync;
  /** The clock's time, ms since the epoch; entries appended bear it. */
  readonly at: number;
  /**
   * Adds an entry to the log's end, in this transaction.
   * @throws {InvalidInputError} When it has a field that entries do not have, or one that does not fit.
   * @throws {IntentNotOpenError} When it is the outcome of no intent that waits for one.
   */
  readonly append: (entry: AuditEntryBody) => AuditEntry;
}

/** A ledger with its log: what `openLedger` returns. */
export interface AuditedLedger extends Ledger {
  readonly events: EventEmitter<LedgerEvents>;
  /** What checkpoints are checked with, as Go's sumdb/note reads it: `name+id+base64`. Give it to outsiders. */
  readonly verifierKey: string;
  /** Intents of processes that were gone when this was opened; their outcome is `unknown` now. */
  readonly recovered: readonly number[];
  /**
   * HMAC-SHA-256 of the value's canonical JSON (RFC 8785) under the log's secret key, `hmac-sha256:` and 64 hex digits.
   * Never throws: what has no canonical JSON, or more than 1 MB of it, is `none:` and the reason.
   */
  digestOf(value: unknown): string;
  /**
   * What the log may keep of a reason that somebody gave: without secrets, on one line, cut to 280 characters; or its keyed
   * digest only. Null where none was given.
   */
  rationaleOf(text: string, options: RationaleOptions): string | null;
  /** 32 secret bytes for one purpose, the same for all processes and after a restart: they come from the key file. */
  secretFor(purpose: string): Uint8Array;
  /** Signs a checkpoint of all that is committed now; null for an empty log. */
  checkpoint(): Promise<Checkpoint | null>;
}

export interface LedgerEvents {
  /** A checkpoint is signed, on the disk, and where `publish` brings it. */
  checkpointed: [event: { at: number; checkpoint: Checkpoint }];
  /** `publish` failed; the next checkpoint, which covers more, is handed to it all the same. */
  publishFailed: [event: { at: number; checkpoint: Checkpoint; error: unknown }];
  /** The checkpoint that was due could not be written; it is tried again after the next write, and at the end. */
  checkpointFailed: [event: { at: number; error: unknown }];
}
