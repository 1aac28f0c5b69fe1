import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Tier } from '@buddy/core';
import type { ApprovalEvent, AuditEntry, AuditEntryBody } from '../ledger/entry.ts';
import type { EntryLog } from '../ledger/entry-log.ts';
import { type Checkpoint, signCheckpoint } from './checkpoint.ts';
import { recordOf } from './entry-record.ts';
import { IntentNotOpenError } from './errors.ts';
import { EMPTY_FRONTIER, type Frontier, grow, leafHash, nodeCount, rootOf } from './merkle-tree.ts';
import { BLOCK_ENTRIES } from './log-schema.ts';
import type { NoteSigner } from './signed-note.ts';
import { readFrontier, storedSize } from './stored-tree.ts';

interface LogWriterParts {
  database: DatabaseSync;
  signer: NoteSigner;
  /** Whose intents those are that are appended here. */
  owner: string;
  /** Makes the owner known again that another process took for gone. */
  registerAgain: (at: number) => void;
  /** A checkpoint is signed when so many entries have none. */
  checkpointEntries: number;
  /** A checkpoint is on the disk. */
  onCheckpoint: (checkpoint: Checkpoint) => void;
  onCommit: () => void;
}

/** Writes entries, the tree over them, and what is counted of them. One transaction at a time, always inside one. */
export class LogWriter implements EntryLog {
  readonly #parts: LogWriterParts;
  readonly #statements: Statements;
  #frontier: Frontier = EMPTY_FRONTIER;
  /** A transaction has failed, and what is known of the log may be of it; read again when the next one begins. */
  #isStale = false;
  /** Counted in this transaction, and written at its end. */
  #tally: Tally = NOTHING;
  /** How many entries there were before this transaction. */
  #sizeBefore = 0;
  #signedSize = 0;
  /** Signed in this transaction; it is told once the transaction is on the disk. */
  #signed: Checkpoint | undefined;
  /** To be signed at the end of this transaction, however few entries there are. */
  #isCheckpointDue = false;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
    this.#statements = prepare(parts.database);
    this.#reload();
  }

  /** How many entries no checkpoint covers yet, as far as this process knows. */
  get unsigned(): number {
    if (this.#isStale) return 1; // there may be some
    return this.#frontier.size - this.#signedSize;
  }

  begin(): void {
    const row = this.#statements.last.get();
    const last = row?.['last'];
    const size = typeof last === 'number' ? last + 1 : 0;
    if (this.#isStale || size !== this.#frontier.size) this.#reload();
    this.#isStale = false;
    this.#sizeBefore = size;
    this.#tally = NOTHING;
  }

  append(body: AuditEntryBody, at: number): AuditEntry {
    const { size: seq } = this.#frontier;
    const entry: AuditEntry = { ...body, seq, at };
    const record = recordOf(entry);
    this.#statements.insertEntry.run(seq, record);
    const { frontier, added } = grow(this.#frontier, leafHash(Buffer.from(record)));
    let position = nodeCount(seq);
    for (const hash of added) this.#statements.insertNode.run(position++, hash);
    this.#account(entry);
    this.#frontier = frontier;
    return entry;
  }

  /** Has the next seal sign a checkpoint. */
  demandCheckpoint(): void {
    this.#isCheckpointDue = true;
  }

  mark(): () => void {
    const [frontier, tally] = [this.#frontier, this.#tally];
    return () => {
      this.#frontier = frontier;
      this.#tally = tally;
    };
  }

  seal(at: number): void {
    this.#dateBlocks(at);
    this.#writeTally(at);
    const { signer, checkpointEntries } = this.#parts;
    // The first is signed at once: a log with entries and no checkpoint is one whose checkpoints somebody took away.
    const isFirst = this.#signedSize === 0;
    const isDue = isFirst || this.#isCheckpointDue || this.unsigned >= checkpointEntries;
    if (!isDue || this.unsigned === 0) return;
    const checkpoint = signCheckpoint(signer, this.#frontier.size, rootOf(this.#frontier));
    this.#statements.insertCheckpoint.run(checkpoint.size, at, checkpoint.note);
    this.#signed = checkpoint;
  }

  /** All that is written in one transaction bears one time. */
  #dateBlocks(at: number): void {
    const [first, last] = [blockOf(this.#sizeBefore), blockOf(this.#frontier.size - 1)];
    if (this.#frontier.size === this.#sizeBefore) return;
    for (let block = first; block <= last; block += 1)
      this.#statements.dateBlock.run(block, at, at);
  }

  ended(isCommitted: boolean): void {
    const signed = this.#signed;
    this.#signed = undefined;
    this.#isCheckpointDue = false;
    if (!isCommitted) {
      this.#isStale = true;
      return;
    }
    if (signed) {
      this.#signedSize = signed.size;
      this.#parts.onCheckpoint(signed);
    }
    this.#parts.onCommit();
  }

  #account(entry: AuditEntry): void {
    const { deleteIntent } = this.#statements;
    switch (entry.kind) {
      case 'intent':
        this.#own(entry);
        this.#count(entry.tier, 0);
        break;
      case 'refusal':
        this.#count(entry.tier, entry.decision === 'deny' ? 1 : 0);
        break;
      case 'outcome':
        if (Number(deleteIntent.run(entry.intentSeq).changes) !== 1) {
          throw new IntentNotOpenError(entry.intentSeq);
        }
        break;
      case 'approval':
        this.#accountApproval(entry.event, entry.approvalId);
        break;
      case 'policy':
      case 'control':
        break;
    }
  }

  #own({ seq, at }: AuditEntry): void {
    const { insertIntent } = this.#statements;
    const { owner, registerAgain } = this.#parts;
    try {
      insertIntent.run(seq, owner);
    } catch (error) {
      if (Reflect.get(Object(error), 'errcode') !== FOREIGN_KEY_FAILED) throw error;
      registerAgain(at);
      insertIntent.run(seq, owner);
    }
  }

  #count(tier: Tier, denials: 0 | 1): void {
    const { tiers } = this.#tally;
    this.#tally = {
      tiers: { ...tiers, [tier]: tiers[tier] + 1 },
      denials: this.#tally.denials + denials,
    };
  }

  #writeTally(at: number): void {
    const { tiers, denials } = this.#tally;
    const { count, countDenials } = this.#statements;
    for (const tier of [1, 2, 3, 4] as const) {
      if (tiers[tier] > 0) count.run(tiers[tier], `tier_${tier}`);
    }
    if (denials > 0) countDenials.run(minuteOf(at), denials);
  }

  #accountApproval(event: ApprovalEvent, id: string): void {
    switch (event) {
      case 'filed':
        this.#statements.insertPending.run(id);
        break;
      case 'approved':
      case 'denied':
      case 'expired':
      case 'cancelled':
      case 'invalidated':
      case 'consumed':
        this.#statements.deletePending.run(id);
        break;
      case 'voted':
      case 'escalated':
        break;
    }
  }

  #reload(): void {
    const { database } = this.#parts;
    this.#frontier = readFrontier(database, storedSize(database));
    const signed = database.prepare('SELECT max(size) AS size FROM audit_checkpoints').get();
    this.#signedSize = Number(signed?.['size'] ?? 0);
  }
}

/** SQLite's SQLITE_CONSTRAINT_FOREIGNKEY: here, that the owner is not among those that are known. */
const FOREIGN_KEY_FAILED = 787;

/** All entries of a transaction bear one time, and so fall into one minute. */
interface Tally {
  tiers: Readonly<Record<Tier, number>>;
  denials: number;
}

const NOTHING: Tally = { tiers: { 1: 0, 2: 0, 3: 0, 4: 0 }, denials: 0 };

export function blockOf(seq: number): number {
  return Math.floor(seq / BLOCK_ENTRIES);
}

export function minuteOf(at: number): number {
  return Math.floor(at / 60_000);
}

type Statements = Readonly<
  Record<
    | 'last'
    | 'insertEntry'
    | 'insertNode'
    | 'insertCheckpoint'
    | 'insertIntent'
    | 'deleteIntent'
    | 'insertPending'
    | 'deletePending'
    | 'count'
    | 'countDenials'
    | 'dateBlock',
    StatementSync
  >
>;

function prepare(database: DatabaseSync): Statements {
  return {
    last: database.prepare('SELECT max(seq) AS last FROM audit_entries'),
    insertEntry: database.prepare('INSERT INTO audit_entries (seq, record) VALUES (?, ?)'),
    insertNode: database.prepare('INSERT INTO audit_tree (position, hash) VALUES (?, ?)'),
    // Another process may have signed the same size.
    insertCheckpoint: database.prepare(
      'INSERT OR IGNORE INTO audit_checkpoints (size, at, note) VALUES (?, ?, ?)',
    ),
    insertIntent: database.prepare('INSERT INTO audit_open_intents (seq, owner) VALUES (?, ?)'),
    deleteIntent: database.prepare('DELETE FROM audit_open_intents WHERE seq = ?'),
    insertPending: database.prepare(
      'INSERT OR IGNORE INTO audit_pending_approvals (approval_id) VALUES (?)',
    ),
    deletePending: database.prepare('DELETE FROM audit_pending_approvals WHERE approval_id = ?'),
    count: database.prepare('UPDATE audit_counts SET value = value + ? WHERE name = ?'),
    dateBlock: database.prepare(
      `INSERT INTO audit_blocks (block, earliest, latest) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)`,
    ),
    countDenials: database.prepare(
      `INSERT INTO audit_denials (minute, count) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    ),
  };
}
