import type { DatabaseSync } from 'node:sqlite';
import { StoreVersionError } from '../errors.ts';

/** Applied once, in this order; never changed after a release. */
const MIGRATIONS: readonly { id: string; sql: string }[] = [
  {
    id: 'guardian-1',
    sql: `
      CREATE TABLE symptoms (
        seq INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        resource TEXT NOT NULL,
        signal TEXT NOT NULL,
        incident_id TEXT,
        outcome TEXT,
        reason TEXT NOT NULL
      ) STRICT;
      CREATE INDEX symptoms_undecided ON symptoms (seq) WHERE outcome IS NULL;

      -- Counted apart, for symptoms are forgotten after a while and their number is not.
      CREATE TABLE ledger (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL CHECK (value >= 0)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE incidents (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        fingerprint TEXT NOT NULL,
        resource TEXT NOT NULL,
        signal TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('open', 'parked', 'closed')),
        symptom TEXT NOT NULL,
        opened_by INTEGER NOT NULL,
        first_bad REAL NOT NULL,
        detected REAL NOT NULL,
        restored REAL,
        closed_at REAL,
        closed_as TEXT,
        cause_id TEXT,
        retries INTEGER NOT NULL,
        reason TEXT NOT NULL,
        rehearses TEXT
      ) STRICT;
      -- One open incident for one fingerprint: not even a bug opens a second.
      CREATE UNIQUE INDEX incidents_open ON incidents (fingerprint) WHERE status <> 'closed';
      CREATE INDEX incidents_closed ON incidents (closed_at) WHERE status = 'closed';

      CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        playbook TEXT NOT NULL,
        resource TEXT NOT NULL,
        roles TEXT NOT NULL,
        started_at REAL NOT NULL,
        ended_at REAL,
        result TEXT NOT NULL,
        reason TEXT NOT NULL,
        interrupts INTEGER NOT NULL,
        is_rehearsal INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX runs_open ON runs (number) WHERE result = 'running';
      CREATE INDEX runs_started ON runs (started_at);

      -- The journal: what was about to be done is here before it is done.
      CREATE TABLE steps (
        run_id TEXT NOT NULL,
        place INTEGER NOT NULL,
        step TEXT NOT NULL,
        state TEXT NOT NULL,
        before TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (run_id, place)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE certificates (
        number INTEGER PRIMARY KEY,
        playbook TEXT NOT NULL,
        code_hash TEXT NOT NULL,
        resource TEXT NOT NULL,
        fault TEXT NOT NULL,
        at REAL NOT NULL
      ) STRICT;

      CREATE TABLE maintenance (
        id TEXT PRIMARY KEY,
        resources TEXT NOT NULL,
        reason TEXT NOT NULL,
        begins REAL NOT NULL,
        ends REAL NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];

/**
 * Brings the database to the shape that this version knows.
 * @throws {StoreVersionError} When a newer version wrote it.
 */
export function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec('CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY) STRICT');
    const rows = database.prepare('SELECT id FROM migrations').all();
    const applied = new Set(rows.map(({ id }) => String(id)));
    const unknown = [...applied].filter((id) => !MIGRATIONS.some((known) => known.id === id));
    if (unknown.length > 0) {
      throw new StoreVersionError(
        `The incident file was written by a newer @buddy/guardian (it has ${unknown.join(', ')}); update the package.`,
      );
    }
    const note = database.prepare('INSERT INTO migrations (id) VALUES (?)');
    for (const { id, sql } of MIGRATIONS) {
      if (applied.has(id)) continue;
      database.exec(sql);
      note.run(id);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Only looks whether the database has the shape that this version knows.
 * @throws {StoreVersionError} When another version wrote it, or it is no incident file.
 */
export function checkVersion(database: DatabaseSync): void {
  const table = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'migrations'`).get();
  const rows = table ? database.prepare('SELECT id FROM migrations').all() : [];
  const applied = rows.map(({ id }) => String(id));
  const known = MIGRATIONS.map(({ id }) => id);
  if (applied.length === known.length && known.every((id) => applied.includes(id))) return;
  throw new StoreVersionError(
    applied.length === 0
      ? 'This is not an incident file of @buddy/guardian.'
      : 'The incident file was written by another version of @buddy/guardian: use that one, or start a guardian of this one on it first.',
  );
}
