import type { DatabaseSync } from 'node:sqlite';
import { JournalOpenError, JournalVersionError } from './errors.ts';

/** Each brings a journal from the version of its place (from 0) to the next. Never changed, only added to. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE workflows (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    parent_id TEXT,
    input TEXT NOT NULL,
    cancel_reason TEXT,
    status TEXT NOT NULL DEFAULT 'running',
    result TEXT
  ) STRICT;
  CREATE INDEX workflows_running ON workflows (number) WHERE status = 'running';
  CREATE INDEX workflows_below ON workflows (parent_id) WHERE parent_id IS NOT NULL;
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    detail TEXT, -- recorded: the signal consumed; timed: the delay; signalled: the topic
    tool TEXT,
    at REAL
  ) STRICT;
  CREATE UNIQUE INDEX entries_key ON entries (workflow, kind, key);
  `,
  `
  CREATE TABLE large_values (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE large_uses ( -- which workflow's rows refer to which value
    workflow INTEGER NOT NULL,
    is_entry INTEGER NOT NULL, -- 1: in its entries, which are forgotten first
    digest TEXT NOT NULL,
    PRIMARY KEY (workflow, is_entry, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX large_uses_digest ON large_uses (digest);
  `,
  `
  ALTER TABLE entries ADD COLUMN is_parked INTEGER; -- timed: 1 when the workflow does nothing else
  `,
  // By which request from outside, so that one that was refused takes nothing back that another did.
  `
  ALTER TABLE workflows ADD COLUMN begun_by TEXT;
  ALTER TABLE workflows ADD COLUMN cancelled_by TEXT;
  ALTER TABLE entries ADD COLUMN came_by TEXT; -- signalled
  `,
];

/** The bug that lost committed data when a log was reset (3.7.0 to 3.51.2) needs two connections, which a journal has. */
const OLDEST_SQLITE = [3, 51, 3];

/** Makes the tables that are not there. @throws {JournalOpenError} {JournalVersionError} */
export function prepareTables(database: DatabaseSync, file: string): void {
  refuseOldSqlite(database);
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > MIGRATIONS.length) {
    throw new JournalVersionError(
      `The journal at ${file} has version ${version}, and this package knows ${MIGRATIONS.length}; update @buddy/agents`,
    );
  }
  if (version === MIGRATIONS.length) return;
  database.exec('BEGIN IMMEDIATE');
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT;`);
}

function refuseOldSqlite(database: DatabaseSync): void {
  const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']);
  const numbers = version.split('.').map(Number);
  for (const [at, oldest] of OLDEST_SQLITE.entries()) {
    const number = numbers[at] ?? 0;
    if (number > oldest) return;
    if (number < oldest) {
      throw new JournalOpenError(
        `This Node.js has SQLite ${version}, which may lose what was committed; a journal needs ${OLDEST_SQLITE.join('.')} or newer`,
      );
    }
  }
}
