import { DatabaseSync } from 'node:sqlite';
import { describeFailure, parseOrThrow } from '@buddy/core';
import type { AuditEntry } from '../ledger/entry.ts';
import { atOneMoment } from '../ledger/at-one-moment.ts';
import { LedgerOpenError } from '../ledger/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type GovernanceCard, readCard } from './card.ts';
import { latestNote } from './check-log.ts';
import { readRecord } from './entry-record.ts';
import { AuditNotFoundError } from './errors.ts';
import { consistencyPath, inclusionPath } from './merkle-tree.ts';
import { type AuditPage, AuditQuery, type AuditQueryInput, queryEntries } from './query.ts';
import { nodeReader, storedSize } from './stored-tree.ts';
import { formatConsistencyProof, formatInclusionProof } from './tlog-proof.ts';

/** What can be asked of the log. */
export interface AuditLog {
  /** How many entries there are. */
  size(): number;
  /** @throws {AuditNotFoundError} When there is none with that number. */
  entry(seq: number): AuditEntry;
  /** Its very characters, which proofs are about. Throws as `entry` does. */
  record(seq: number): string;
  /** The newest first; a page at a time. */
  query(query?: AuditQueryInput): AuditPage;
  /** What the dashboard shows, at `now` (ms since the epoch); costs the same at any size of the log. */
  card(now: number): GovernanceCard;
  /** The last checkpoint that was signed, as a signed note; undefined before the first. */
  checkpoint(): string | undefined;
  /**
   * That an entry is in the log, as a file (c2sp.org/tlog-proof@v1) that the log's public key is enough to check.
   * @throws {AuditNotFoundError} When there is no such entry, or no checkpoint covers it yet.
   */
  proveInclusion(seq: number): string;
  /**
   * That the log, as of its last checkpoint, begins with the `oldSize` entries of an earlier one.
   * @throws {AuditNotFoundError} When the last checkpoint covers fewer.
   */
  proveConsistency(oldSize: number): string;
}

/** What `read` of a ledger does, and all that a log needs. */
type Read = Pick<Ledger, 'read'>;

/**
 * The log of an open ledger.
 * @example
 * const { entries } = auditLogOf(ledger).query({ decision: 'deny', since: yesterday });
 */
export function auditLogOf(ledger: Read): AuditLog {
  return new StoredLog(ledger);
}

export interface OpenAuditLog extends AuditLog, Disposable {}

/**
 * The log in a file, for reading only: without its keys, and beside processes that write it.
 * @throws {LedgerOpenError} When there is no ledger in the file.
 * @example
 * using log = openAuditLog('out/state/governance.db');
 */
export function openAuditLog(file: string): OpenAuditLog {
  const database = openReadOnly(file);
  const log = new StoredLog({ read: (work) => atOneMoment(database, work) });
  return Object.assign(log, { [Symbol.dispose]: () => database.close() });
}

/** @throws {LedgerOpenError} When there is no ledger in the file. */
export function openReadOnly(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    database.prepare('SELECT 1 FROM audit_entries').get();
    return database;
  } catch (error) {
    database?.close();
    throw new LedgerOpenError(
      `There is no audit log that could be read at ${file}: ${describeFailure(error).message}`,
      { cause: error },
    );
  }
}

class StoredLog implements AuditLog {
  readonly #source: Read;

  constructor(source: Read) {
    this.#source = source;
  }

  size(): number {
    return this.#source.read(storedSize);
  }

  entry(seq: number): AuditEntry {
    return readRecord(this.record(seq));
  }

  record(seq: number): string {
    return this.#source.read((database) => recordAt(database, seq));
  }

  query(input: AuditQueryInput = {}): AuditPage {
    const query = parseOrThrow(AuditQuery, input, 'query of the audit log');
    return this.#source.read((database) => queryEntries(database, query));
  }

  card(now: number): GovernanceCard {
    return this.#source.read((database) => readCard(database, now));
  }

  checkpoint(): string | undefined {
    return this.#source.read(latestNote);
  }

  proveInclusion(seq: number): string {
    return this.#source.read((database) => {
      recordAt(database, seq); // else the size of the log would be blamed
      const { size, note } = coveringCheckpoint(database, seq + 1);
      const path = inclusionPath(nodeReader(database), seq, size);
      return formatInclusionProof({ index: seq, path, checkpoint: note });
    });
  }

  proveConsistency(oldSize: number): string {
    return this.#source.read((database) => {
      const { size, note } = coveringCheckpoint(database, oldSize);
      const path = consistencyPath(nodeReader(database), oldSize, size);
      return formatConsistencyProof({ oldSize, path, checkpoint: note });
    });
  }
}

function recordAt(database: DatabaseSync, seq: number): string {
  const row = database.prepare('SELECT record FROM audit_entries WHERE seq = ?').get(seq);
  if (!row) {
    throw new AuditNotFoundError(
      `The log has no entry ${seq}; they are numbered from 0 to ${storedSize(database) - 1}.`,
    );
  }
  return String(row['record']);
}

/** The last checkpoint, which has to cover so many entries. */
function coveringCheckpoint(
  database: DatabaseSync,
  entries: number,
): { size: number; note: string } {
  const row = database
    .prepare('SELECT size, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1')
    .get();
  const size = Number(row?.['size'] ?? 0);
  if (!row || size < entries) {
    throw new AuditNotFoundError(
      `The last checkpoint covers ${size} entries, and ${entries} have to be; the next one is signed within a second of writing.`,
    );
  }
  return { size, note: String(row['note']) };
}
