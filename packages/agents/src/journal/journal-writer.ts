import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Operation } from '../durable/workflow-store.ts';
import { ENTRY_KINDS } from './entry-kinds.ts';
import { takeOutLarge } from '../durable/large-values.ts';
import { openForWriting } from './open-database.ts';

/** What is written: operations, and those that were refused and must not be found later. */
export type Write =
  | { kind: 'keep'; operation: Operation; request?: string }
  /** Undoes what this request did, and nothing that another did that asked for the same. */
  | { kind: 'retract'; operation: Operation; request: string };

/**
 * Writes operations to a journal's database, a batch at a time: all of it or nothing. To write the same again changes
 * nothing, so a batch of which nobody knows whether it was kept can be written again.
 */
export class JournalWriter {
  readonly #file: string;
  #connection: Connection | undefined;

  /** @param file With its tables. */
  constructor(file: string) {
    this.#file = file;
  }

  /** @throws When it could not be written; the next call opens the file anew, for after a failed sync nothing in memory can be trusted. */
  write(batch: readonly Write[]): void {
    try {
      this.#connection ??= new Connection(this.#file);
      this.#connection.write(batch);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

class Connection {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  constructor(file: string) {
    this.#database = openForWriting(file);
    this.#statements = prepareStatements(this.#database);
  }

  write(batch: readonly Write[]): void {
    const database = this.#database;
    database.exec('BEGIN IMMEDIATE');
    for (const write of batch) {
      if (write.kind === 'keep') this.#keep(write.operation, write.request ?? null);
      else this.#retract(write.operation, write.request);
    }
    database.exec('COMMIT');
  }

  close(): void {
    this.#database.close();
  }

  #keep(operation: Operation, request: string | null): void {
    const { begin, insert, replace, signal, wait, cancel, end } = this.#statements;
    const { forgetEntries, forgetBelow, forgetUses, forgetUnused } = this.#statements;
    const { id } = operation;
    switch (operation.kind) {
      case 'begun': {
        const { workflow, version, parentId, input } = operation;
        const large = this.#largeIn(input);
        begin.run(id, workflow, version, parentId, large.text, request);
        this.#noteUses(id, large.digests, false);
        return;
      }
      case 'recorded': {
        const { at, key, value, consumes = null, tool = null } = operation;
        const { text, digests } = this.#largeIn(value);
        insert.run(ENTRY_KINDS.recorded, key, text, consumes, id, tool, at);
        this.#noteUses(id, digests, true);
        return;
      }
      case 'intended':
        replace.run(
          ENTRY_KINDS.intended,
          operation.key,
          String(operation.tries),
          null,
          id,
          null,
          null,
        );
        return;
      case 'timed': {
        const { key, dueAt, delayMs, isParked } = operation;
        wait.run(key, String(dueAt), String(delayMs), Number(isParked), id);
        return;
      }
      case 'signalled': {
        const { key, topic, value } = operation;
        const { text, digests } = this.#largeIn(value);
        signal.run(key, text, topic, request, id);
        this.#noteUses(id, digests, true);
        return;
      }
      case 'told': {
        const { at, key, fact } = operation;
        const { text, digests } = this.#largeIn(fact);
        insert.run(ENTRY_KINDS.told, key, text, null, id, null, at);
        this.#noteUses(id, digests, true);
        return;
      }
      case 'cancelled':
        cancel.run(id, operation.reason, request);
        return;
      case 'ended': {
        const { text, digests } = this.#largeIn(operation.result);
        end.run(operation.status, text, id);
        this.#noteUses(id, digests, false);
        return;
      }
      case 'compacted':
        forgetUses.run(id);
        forgetEntries.run(id);
        forgetBelow.run(id);
        forgetUnused.run();
        return;
    }
  }

  /** Keeps what is large in a value, once. */
  #largeIn(value: string): { text: string; digests: readonly string[] } {
    const digests: string[] = [];
    const text = takeOutLarge(value, (digest, large) => {
      digests.push(digest);
      this.#statements.keepLarge.run(digest, large);
    });
    return { text, digests };
  }

  #noteUses(id: string, digests: readonly string[], isEntry: boolean): void {
    for (const digest of digests) this.#statements.noteUse.run(Number(isEntry), digest, id);
  }

  #retract(operation: Operation, request: string): void {
    const { unbegin, unsignal, uncancel, forgetOwnUses } = this.#statements;
    switch (operation.kind) {
      case 'begun':
        forgetOwnUses.run(operation.id, request);
        unbegin.run(operation.id, request);
        return;
      case 'signalled':
        unsignal.run(operation.id, operation.key, request);
        return;
      case 'cancelled':
        uncancel.run(operation.id, request);
        return;
      case 'recorded':
      case 'intended':
      case 'timed':
      case 'told':
      case 'ended':
      case 'compacted':
        return; // these are never refused: they are tried until they can be kept
    }
  }
}

const BELOW = `
  WITH RECURSIVE below (id, number) AS (
    SELECT id, number FROM workflows WHERE id = ?1
    UNION ALL
    SELECT w.id, w.number FROM workflows w JOIN below b ON w.parent_id = b.id
  )`;

/** What compaction takes away with this one: what has ended, unless it has to do with something that still runs. */
const FORGOTTEN = `
  WITH RECURSIVE over (id, number, parent_id) AS ( -- with all between it and the one that is compacted
    SELECT id, number, NULL FROM workflows WHERE id = ?1
    UNION ALL
    SELECT w.id, w.number, w.parent_id FROM workflows w JOIN over o ON w.parent_id = o.id
    WHERE w.status <> 'running'
  ),
  needed (id) AS ( -- whoever cancels or compacts finds what runs by these
    SELECT w.parent_id FROM workflows w JOIN over o ON w.parent_id = o.id WHERE w.status = 'running'
    UNION
    SELECT o.parent_id FROM over o JOIN needed n ON o.id = n.id WHERE o.parent_id IS NOT NULL
  ),
  forgotten (id, number) AS (
    SELECT id, number FROM over WHERE id = ?1 OR id NOT IN (SELECT id FROM needed)
  )`;

function prepareStatements(database: DatabaseSync) {
  const entry = `(workflow, kind, key, value, detail, tool, at)
    SELECT number, ?1, ?2, ?3, ?4, ?6, ?7 FROM workflows WHERE id = ?5`;
  return {
    begin: database.prepare(
      // Cancelled with its parent, and by the same request.
      `INSERT OR IGNORE INTO workflows
         (id, workflow, version, parent_id, input, begun_by, cancel_reason, cancelled_by)
       SELECT c.*, p.cancel_reason, p.cancelled_by
       FROM (SELECT ?1, ?2, ?3, ?4 AS parent_id, ?5, ?6) c LEFT JOIN workflows p ON p.id = c.parent_id`,
    ),
    insert: database.prepare(`INSERT OR IGNORE INTO entries ${entry}`),
    replace: database.prepare(`INSERT OR REPLACE INTO entries ${entry}`),
    signal: database.prepare(
      `INSERT OR IGNORE INTO entries (workflow, kind, key, value, detail, came_by)
       SELECT number, ${ENTRY_KINDS.signalled}, ?1, ?2, ?3, ?4 FROM workflows WHERE id = ?5`,
    ),
    wait: database.prepare(
      `INSERT OR REPLACE INTO entries (workflow, kind, key, value, detail, is_parked)
       SELECT number, ${ENTRY_KINDS.timed}, ?1, ?2, ?3, ?4 FROM workflows WHERE id = ?5`,
    ),
    cancel: database.prepare(
      `${BELOW} UPDATE workflows SET cancel_reason = ?2, cancelled_by = ?3
       WHERE status = 'running' AND cancel_reason IS NULL AND number IN (SELECT number FROM below)`,
    ),
    end: database.prepare(`UPDATE workflows SET status = ?, result = ? WHERE id = ?`),
    forgetEntries: database.prepare(
      `${FORGOTTEN} DELETE FROM entries WHERE workflow IN (SELECT number FROM forgotten)`,
    ),
    forgetBelow: database.prepare(
      `${FORGOTTEN} DELETE FROM workflows
       WHERE id <> ?1 AND number IN (SELECT number FROM forgotten)`,
    ),
    keepLarge: database.prepare(`INSERT OR IGNORE INTO large_values (digest, text) VALUES (?, ?)`),
    noteUse: database.prepare(
      `INSERT OR IGNORE INTO large_uses (workflow, is_entry, digest)
       SELECT number, ?1, ?2 FROM workflows WHERE id = ?3`,
    ),
    // All but what the workflow itself began with and came to.
    forgetUses: database.prepare(
      `${FORGOTTEN} DELETE FROM large_uses WHERE EXISTS (
         SELECT 1 FROM forgotten WHERE number = large_uses.workflow AND (id <> ?1 OR is_entry = 1)
       )`,
    ),
    forgetOwnUses: database.prepare(
      `DELETE FROM large_uses
       WHERE workflow = (SELECT number FROM workflows WHERE id = ? AND begun_by = ?)`,
    ),
    forgetUnused: database.prepare(
      `DELETE FROM large_values WHERE NOT EXISTS (
         SELECT 1 FROM large_uses WHERE large_uses.digest = large_values.digest
       )`,
    ),
    unbegin: database.prepare(`DELETE FROM workflows WHERE id = ? AND begun_by = ?`),
    unsignal: database.prepare(
      `DELETE FROM entries WHERE kind = ${ENTRY_KINDS.signalled} AND key = ?2 AND came_by = ?3
       AND workflow = (SELECT number FROM workflows WHERE id = ?1)`,
    ),
    // Also of what has ended since.
    uncancel: database.prepare(
      `${BELOW} UPDATE workflows SET cancel_reason = NULL, cancelled_by = NULL
       WHERE cancelled_by = ?2 AND number IN (SELECT number FROM below)`,
    ),
  } satisfies Record<string, StatementSync>;
}

type Statements = ReturnType<typeof prepareStatements>;
