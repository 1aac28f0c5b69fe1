import type { Migration } from '../ledger/migrations.ts';

/** So many entries, in the order of the log, are looked at or skipped together. */
export const BLOCK_ENTRIES = 2_048;

/*
 * `record` is all that an entry is; its other columns are read out of it by SQLite, so that an index cannot be told
 * something else. The triggers are against accidents only: whoever can write the file can drop them, and the proofs are for
 * that.
 */
export const LOG_MIGRATIONS: readonly Migration[] = [
  {
    id: 'log-1',
    sql: `
      CREATE TABLE audit_entries (
        seq INTEGER PRIMARY KEY,
        record TEXT NOT NULL,
        kind TEXT NOT NULL AS (json_extract(record, '$.kind')) VIRTUAL,
        actor TEXT NOT NULL AS (coalesce(json_extract(record, '$.actor.id'), json_extract(record, '$.by.id'))) VIRTUAL,
        action TEXT AS (json_extract(record, '$.action')) VIRTUAL,
        tier INTEGER AS (json_extract(record, '$.tier')) VIRTUAL,
        decision TEXT AS (json_extract(record, '$.decision')) VIRTUAL,
        block INTEGER NOT NULL AS (seq / ${BLOCK_ENTRIES}) VIRTUAL
      ) STRICT;
      CREATE INDEX audit_entries_by_kind ON audit_entries (kind);
      CREATE INDEX audit_entries_by_tier ON audit_entries (tier) WHERE tier IS NOT NULL;
      CREATE INDEX audit_entries_by_decision ON audit_entries (decision) WHERE decision IS NOT NULL;
      -- There are many actors and actions. With the block first, what is written together lands on few pages and not on one
      -- for each of them: a commit writes whole pages, and waits for them.
      CREATE INDEX audit_entries_by_actor ON audit_entries (block, actor);
      CREATE INDEX audit_entries_by_action ON audit_entries (block, action) WHERE action IS NOT NULL;

      -- When the entries of a block were written, ms since the epoch.
      CREATE TABLE audit_blocks (
        block INTEGER PRIMARY KEY,
        earliest INTEGER NOT NULL,
        latest INTEGER NOT NULL
      ) STRICT;

      -- The nodes of the Merkle tree, by the position at which each became complete.
      CREATE TABLE audit_tree (
        position INTEGER PRIMARY KEY,
        hash BLOB NOT NULL CHECK (length(hash) = 32)
      ) STRICT;

      CREATE TABLE audit_checkpoints (
        size INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        note TEXT NOT NULL
      ) STRICT;

      -- Processes that may still write outcomes, each known to be alive by a lock that it holds on a file.
      CREATE TABLE audit_owners (
        id TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        opened_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE audit_open_intents (
        seq INTEGER PRIMARY KEY,
        owner TEXT NOT NULL REFERENCES audit_owners (id)
      ) STRICT;

      CREATE TABLE audit_counts (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL CHECK (value >= 0)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO audit_counts (name, value) VALUES
        ('tier_1', 0), ('tier_2', 0), ('tier_3', 0), ('tier_4', 0);
      CREATE TABLE audit_pending_approvals (
        approval_id TEXT PRIMARY KEY
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE audit_denials (
        minute INTEGER PRIMARY KEY,
        count INTEGER NOT NULL
      ) STRICT;

      ${['audit_entries', 'audit_tree', 'audit_checkpoints']
        .flatMap((table) =>
          ['UPDATE', 'DELETE'].map(
            (change) => `
              CREATE TRIGGER ${table}_no_${change.toLowerCase()} BEFORE ${change} ON ${table}
              BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;`,
          ),
        )
        .join('')}
    `,
  },
  {
    // Process numbers mean something on one machine, or in one container, only.
    id: 'log-2',
    sql: 'ALTER TABLE audit_owners ADD COLUMN host TEXT;',
  },
];
