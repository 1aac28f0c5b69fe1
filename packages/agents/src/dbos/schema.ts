import type { Clock } from '@buddy/core';
import type pg from 'pg';
import { lockKey, tryLock, unlock } from './advisory-lock.ts';
import { EngineStorageVersionError } from './errors.ts';

/**
 * Makes the tables that are not there, one process at a time; `migrate` those of DBOS.
 * @throws {EngineStorageVersionError} When a newer version made them; they are left as they are.
 */
export async function openTables(
  session: pg.Client,
  clock: Clock,
  migrate: () => Promise<void>,
): Promise<void> {
  // Asks again and again: whoever waits for a lock in Postgres holds up the indexes that DBOS builds.
  while (!(await tryLock(session, lockKey('schema')))) await clock.sleep(LOCK_POLL_MS);
  try {
    const found = await findVersion(session);
    if (found > SCHEMA_VERSION) {
      throw new EngineStorageVersionError(
        `The tables in schema buddy are of version ${found}, and this package knows ${SCHEMA_VERSION}; update it`,
      );
    }
    await migrate();
    if (found < SCHEMA_VERSION) await session.query(SCHEMA); // one transaction: all of it or nothing
  } finally {
    await unlock(session, lockKey('schema'));
  }
}

/** @returns 0 when there are none. */
async function findVersion(session: pg.Client): Promise<number> {
  const { rows: tables } = await session.query<{ found: boolean }>(
    `SELECT to_regclass('buddy.engine_schema') IS NOT NULL AS found`,
  );
  if (tables[0]?.found !== true) return 0;
  const { rows } = await session.query<{ version: number }>(
    'SELECT version FROM buddy.engine_schema',
  );
  return rows[0]?.version ?? 0;
}

/** Channels on which engines hear of each other. */
export const CANCELLED = 'buddy_cancelled';
export const ENTERED = 'buddy_entered';
/** Says of which workflow. */
export const ANSWERED = 'buddy_answered';

const SCHEMA_VERSION = 4;
const LOCK_POLL_MS = 50;

/**
 * Entries are committed in another order than they are numbered in, so one who reads on from a number could miss some. Whoever
 * adds one holds a lock with the others until it is committed; whoever reads waits for a moment at which nobody holds it, and
 * reads no further than that. Whoever compacts waits for the same moment before it says so, and forgets entries in a transaction
 * of its own after that: so none is added behind its back.
 *
 * Whoever keeps a large value holds a lock with the others until it is committed that it is used; whoever removes what nobody
 * uses holds it alone. Both do so first of all, so that neither waits for the other with rows in hand, and none removes what
 * another has just found there.
 */
const SCHEMA = `
CREATE SCHEMA IF NOT EXISTS buddy;
CREATE TABLE IF NOT EXISTS buddy.engine_schema (version int NOT NULL);
CREATE TABLE IF NOT EXISTS buddy.entries (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  workflow_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('recorded', 'told')),
  key text NOT NULL,
  at bigint NOT NULL,
  tool text,
  value text NOT NULL,
  UNIQUE (workflow_id, kind, key)
);
CREATE INDEX IF NOT EXISTS entries_name_seq ON buddy.entries (name, seq);
CREATE TABLE IF NOT EXISTS buddy.intents (
  workflow_id text NOT NULL, key text NOT NULL, tries int NOT NULL, try_id text NOT NULL, PRIMARY KEY (workflow_id, key)
);
CREATE TABLE IF NOT EXISTS buddy.suspects (workflow_id text PRIMARY KEY);
CREATE TABLE IF NOT EXISTS buddy.cancellations (workflow_id text PRIMARY KEY, reason text NOT NULL);
CREATE TABLE IF NOT EXISTS buddy.compacted (workflow_id text PRIMARY KEY);
CREATE TABLE IF NOT EXISTS buddy.large_values (digest text PRIMARY KEY, text text NOT NULL);
CREATE TABLE IF NOT EXISTS buddy.large_uses (
  workflow_id text NOT NULL,
  used_as text NOT NULL CHECK (used_as IN ('input', 'result', 'entry')),
  digest text NOT NULL REFERENCES buddy.large_values,
  PRIMARY KEY (workflow_id, used_as, digest)
);
CREATE INDEX IF NOT EXISTS large_uses_digest ON buddy.large_uses (digest);
CREATE OR REPLACE FUNCTION buddy.keep_entries(
  p_name text, p_workflow_ids text[], p_kinds text[], p_keys text[], p_tools text[], p_values text[], p_answers boolean[]
) RETURNS TABLE (nth int, seq bigint, at bigint, value text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_ms bigint;
  answered text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lockKey('entries')});
  now_ms := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  INSERT INTO buddy.entries (name, workflow_id, kind, key, at, tool, value)
    SELECT p_name, g.workflow_id, g.kind, g.key, now_ms, g.tool, g.value
    FROM unnest(p_workflow_ids, p_kinds, p_keys, p_tools, p_values) WITH ORDINALITY AS g(workflow_id, kind, key, tool, value, nth)
    WHERE NOT EXISTS (SELECT 1 FROM buddy.compacted c WHERE c.workflow_id = g.workflow_id)
    ORDER BY g.nth
    ON CONFLICT DO NOTHING;
  IF FOUND AND 'told' = ANY(p_kinds) THEN PERFORM pg_notify('${ENTERED}', ''); END IF;
  FOR answered IN
    SELECT DISTINCT left(g.workflow_id, 2000) FROM unnest(p_workflow_ids, p_answers) AS g(workflow_id, is_answer) WHERE g.is_answer
  LOOP PERFORM pg_notify('${ANSWERED}', answered); END LOOP;
  RETURN QUERY SELECT g.nth::int, coalesce(e.seq, 0), coalesce(e.at, now_ms), coalesce(e.value, g.value)
    FROM unnest(p_workflow_ids, p_kinds, p_keys, p_values) WITH ORDINALITY AS g(workflow_id, kind, key, value, nth)
      LEFT JOIN LATERAL (SELECT * FROM buddy.entries x
                         WHERE x.workflow_id = g.workflow_id AND x.kind = g.kind AND x.key = g.key LIMIT 1) e ON true
    ORDER BY g.nth;
END $$;
CREATE OR REPLACE FUNCTION buddy.close_books(p_workflow_ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(${lockKey('entries')});
  INSERT INTO buddy.compacted (workflow_id) SELECT unnest(p_workflow_ids) ON CONFLICT DO NOTHING;
END $$;
CREATE OR REPLACE FUNCTION buddy.last_whole_entry(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(${lockKey('entries')});
  RETURN (SELECT coalesce(max(seq), 0) FROM buddy.entries WHERE name = p_name);
END $$;
CREATE OR REPLACE FUNCTION buddy.keep_large(
  p_digests text[], p_texts text[], p_used text[], p_workflow_ids text[], p_used_as text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lockKey('large')});
  INSERT INTO buddy.large_values (digest, text)
    SELECT g.digest, g.text FROM unnest(p_digests, p_texts) AS g(digest, text) ORDER BY g.digest
    ON CONFLICT DO NOTHING;
  INSERT INTO buddy.large_uses (workflow_id, used_as, digest)
    SELECT g.workflow_id, g.used_as, g.digest FROM unnest(p_workflow_ids, p_used_as, p_used) AS g(workflow_id, used_as, digest)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
END $$;
CREATE OR REPLACE FUNCTION buddy.forget_inputs(p_workflow_id text, p_but text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  unused text[];
BEGIN
  PERFORM pg_advisory_xact_lock(${lockKey('large')});
  WITH gone AS (
    DELETE FROM buddy.large_uses u WHERE u.workflow_id = p_workflow_id AND u.used_as = 'input' AND u.digest <> ALL(p_but) RETURNING u.digest
  ) SELECT array_agg(g.digest) INTO unused FROM gone g;
  DELETE FROM buddy.large_values v
    WHERE v.digest = ANY(unused) AND NOT EXISTS (SELECT 1 FROM buddy.large_uses u WHERE u.digest = v.digest);
END $$;
CREATE OR REPLACE FUNCTION buddy.forget(p_workflow_id text, p_below text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  everyone text[] := p_workflow_id || p_below;
  unused text[];
BEGIN
  IF EXISTS (SELECT 1 FROM buddy.large_uses u WHERE u.workflow_id = ANY(everyone)) THEN
    PERFORM pg_advisory_xact_lock(${lockKey('large')});
  END IF;
  DELETE FROM buddy.entries e WHERE e.workflow_id = ANY(everyone);
  DELETE FROM buddy.intents i WHERE i.workflow_id = ANY(everyone);
  DELETE FROM buddy.suspects s WHERE s.workflow_id = ANY(everyone);
  DELETE FROM buddy.cancellations c WHERE c.workflow_id = ANY(p_below);
  WITH gone AS (
    DELETE FROM buddy.large_uses u WHERE u.workflow_id = ANY(p_below) OR (u.workflow_id = p_workflow_id AND u.used_as = 'entry')
    RETURNING u.digest
  ) SELECT array_agg(DISTINCT g.digest) INTO unused FROM gone g;
  DELETE FROM buddy.large_values v
    WHERE v.digest = ANY(unused) AND NOT EXISTS (SELECT 1 FROM buddy.large_uses u WHERE u.digest = v.digest);
END $$;
DELETE FROM buddy.engine_schema;
INSERT INTO buddy.engine_schema (version) VALUES (${SCHEMA_VERSION});
`;
