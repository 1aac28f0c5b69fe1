import type { Migration } from '../ledger/migrations.ts';

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
        at TEXT NOT NULL AS (json_extract(record, '$.at')) VIRTUAL,
        kind TEXT NOT NULL AS (json_extract(record, '$.kind')) VIRTUAL,
        actor TEXT NOT NULL AS (coalesce(json_extract(record, '$.actor.id'), json_extract(record, '$.by.id'))) VIRTUAL,
        action TEXT AS (json_extract(record, '$.action')) VIRTUAL,
        tier INTEGER AS (json_extract(record, '$.tier')) VIRTUAL,
        decision TEXT AS (json_extract(record, '$.decision')) VIRTUAL
      ) STRICT;
      CREATE INDEX audit_entries_by_time ON audit_entries (at);
      CREATE INDEX audit_entries_by_kind ON audit_entries (kind, at);
      CREATE INDEX audit_entries_by_actor ON audit_entries (actor, at);
      CREATE INDEX audit_entries_by_action ON audit_entries (action, at) WHERE action IS NOT NULL;
      CREATE INDEX audit_entries_by_tier ON audit_entries (tier, at) WHERE tier IS NOT NULL;
      CREATE INDEX audit_entries_by_decision ON audit_entries (decision, at) WHERE decision IS NOT NULL;

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
      CREATE INDEX audit_open_intents_by_owner ON audit_open_intents (owner);

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
];
