import type { DatabaseSync } from 'node:sqlite';
import { LedgerVersionError } from '../errors.ts';

/** One step of the database's shape. Applied once, in the order in which they stand; never changed after a release. */
export interface Migration {
  /** `part-number`, such as `approvals-1`. */
  id: string;
  sql: string;
}

/**
 * Brings the database to the shape that this version of the package knows.
 * @throws {LedgerVersionError} When it holds a step that this version does not know: a newer one wrote it.
 */
export function migrate(
  database: DatabaseSync,
  migrations: readonly Migration[],
  at: number,
): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(
      'CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT',
    );
    const applied = new Set(
      database
        .prepare('SELECT id FROM migrations')
        .all()
        .map(({ id }) => String(id)),
    );
    const known = new Set(migrations.map(({ id }) => id));
    const unknown = [...applied].filter((id) => !known.has(id));
    if (unknown.length > 0) {
      throw new LedgerVersionError(
        `The database was written by a newer @buddy/governance (it has ${unknown.join(', ')}); update the package.`,
      );
    }
    const note = database.prepare('INSERT INTO migrations (id, applied_at) VALUES (?, ?)');
    for (const { id, sql } of migrations) {
      if (applied.has(id)) continue;
      database.exec(sql);
      note.run(id, at);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Whether the part that the table belongs to is kept in this database. */
export function hasTable(database: DatabaseSync, name: string): boolean {
  const select = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return database.prepare(select).get(name) !== undefined;
}
