import type { Clock } from '@buddy/core';
import type pg from 'pg';
import { fromJournal, type HistoryEntry, toJournal } from '../durable/workflow-store.ts';
import { lockKey, tryLock, unlock } from './advisory-lock.ts';
import { type RetryPorts, retryLost } from './retry-lost.ts';
import { EngineStorageVersionError } from './errors.ts';

/**
 * Makes the tables that are not there, one process at a time; `migrate` those of DBOS.
 * @throws {EngineStorageVersionError} When a newer version made them.
 */
export async function openTables(
  session: pg.Client,
  clock: Clock,
  migrate: () => Promise<void>,
): Promise<void> {
  // Asks again and again: whoever waits for a lock in Postgres holds up the indexes that DBOS builds.
  while (!(await tryLock(session, lockKey('schema')))) await clock.sleep(LOCK_POLL_MS);
  try {
    await migrate();
    await session.query(SCHEMA);
    const { rows } = await session.query<{ version: number }>(
      'SELECT version FROM buddy.engine_schema',
    );
    const [found] = rows;
    if (!found) {
      await session.query('INSERT INTO buddy.engine_schema (version) VALUES ($1)', [
        SCHEMA_VERSION,
      ]);
    } else if (found.version > SCHEMA_VERSION) {
      throw new EngineStorageVersionError(
        `The tables in schema buddy are of version ${found.version}, and this package knows ${SCHEMA_VERSION}; update it`,
      );
    }
  } finally {
    await unlock(session, lockKey('schema'));
  }
}

/** What the engine keeps beside the tables of DBOS, in a schema of its own: what was told, what was cancelled, what may be poison. */
export class Books {
  readonly #name: string;
  readonly #pool: pg.Pool;
  readonly #ports: RetryPorts;

  /** @param name Of the engines whose facts these are. */
  constructor(name: string, pool: pg.Pool, ports: RetryPorts) {
    this.#name = name;
    this.#pool = pool;
    this.#ports = ports;
  }

  /** Keeps what came of a call, or a fact; whoever was first counts. */
  async keep({ kind, workflowId, key, tool, value }: NewEntry): Promise<KeptEntry> {
    const { rows } = await this.#query<{ seq: string; at: string; value: string }>(
      'SELECT seq, at, value FROM buddy.keep_entry($1, $2, $3, $4, $5, $6)',
      [this.#name, workflowId, kind, key, tool ?? null, toJournal(value)],
    );
    const [row] = rows;
    if (!row) throw new Error(`What came of ${key} in workflow ${workflowId} was not kept`);
    return { seq: Number(row.seq), at: Number(row.at), value: fromJournal(row.value) };
  }

  /** What is known of a call before it is made. */
  async askBefore(
    workflowId: string,
    key: string,
    runBy: string,
  ): Promise<{ recorded: string | null; cancelReason: string | null; isSuspect: boolean }> {
    const { rows } = await this.#query<{
      recorded: string | null;
      cancelReason: string | null;
      isSuspect: boolean;
    }>(
      `SELECT (SELECT value FROM buddy.entries WHERE workflow_id = $1 AND kind = 'recorded' AND key = $2) AS recorded,
              (SELECT reason FROM buddy.cancellations WHERE workflow_id = $1) AS "cancelReason",
              EXISTS (SELECT 1 FROM buddy.suspects WHERE workflow_id = $3) AS "isSuspect"`,
      [workflowId, key, runBy],
    );
    return rows[0] ?? { recorded: null, cancelReason: null, isSuspect: false };
  }

  /** That a call is about to be made; `tryId` is of this time. @returns How often that was so, this time included. */
  async intend(workflowId: string, key: string, tryId: string): Promise<number> {
    const { rows } = await this.#query<{ tries: number }>(
      `INSERT INTO buddy.intents AS i (workflow_id, key, tries, try_id) VALUES ($1, $2, 1, $3)
       ON CONFLICT (workflow_id, key) DO UPDATE
         SET tries = i.tries + (i.try_id <> EXCLUDED.try_id)::int, try_id = EXCLUDED.try_id
       RETURNING tries`,
      [workflowId, key, tryId],
    );
    return rows[0]?.tries ?? 1;
  }

  /** Those whose process has died: what they do next may be what it died of. */
  async suspect(workflowIds: readonly string[]): Promise<void> {
    await this.#query(
      'INSERT INTO buddy.suspects (workflow_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING',
      [workflowIds],
    );
  }

  /** The first reason counts; whoever runs one of them hears of it. */
  async cancel(workflowIds: readonly string[], reason: string): Promise<void> {
    await this.#query(
      `WITH added AS (
         INSERT INTO buddy.cancellations (workflow_id, reason) SELECT unnest($1::text[]), $2
         ON CONFLICT DO NOTHING RETURNING workflow_id
       ) SELECT pg_notify('${CANCELLED}', left(workflow_id, 4000)) FROM added`,
      [workflowIds, reason],
    );
  }

  async cancelReasons(workflowIds: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.#query<{ id: string; reason: string }>(
      'SELECT workflow_id AS id, reason FROM buddy.cancellations WHERE workflow_id = ANY($1)',
      [workflowIds],
    );
    return new Map(rows.map(({ id, reason }) => [id, reason]));
  }

  /** The number up to which all entries that there will ever be are there; 0 when there is none. */
  async latest(): Promise<number> {
    const { rows } = await this.#query<{ seq: string }>(
      'SELECT buddy.last_whole_entry($1) AS seq',
      [this.#name],
    );
    return Number(rows[0]?.seq ?? 0);
  }

  /** The next entries after one number, up to another; in order; none when there are no more. */
  async entries(after: number, upTo: number): Promise<HistoryEntry[]> {
    const { rows } = await this.#query<EntryRow>(
      `SELECT seq, workflow_id AS "workflowId", kind, key, at, tool, value FROM buddy.entries
       WHERE name = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT 500`,
      [this.#name, after, upTo],
    );
    return rows.map(({ seq, workflowId, kind, key, at, tool, value }) => {
      const common = {
        seq: Number(seq),
        at: Number(at),
        workflowId,
        key,
        value: fromJournal(value),
      };
      return kind === 'told' ? { ...common, kind } : { ...common, kind, tool };
    });
  }

  /** Of those below, also that they were cancelled; there is nobody left to ask about them. */
  async forget(workflowId: string, below: readonly string[]): Promise<void> {
    for (const table of ['entries', 'intents', 'suspects']) {
      const sql = `DELETE FROM buddy.${table} WHERE workflow_id = ANY($1)`;
      await this.#query(sql, [[workflowId, ...below]]);
    }
    await this.#query('DELETE FROM buddy.cancellations WHERE workflow_id = ANY($1)', [below]);
  }

  #query<Row extends pg.QueryResultRow>(
    sql: string,
    values: unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    return retryLost(() => this.#pool.query<Row>(sql, values), this.#ports);
  }
}

interface NewEntry {
  kind: 'recorded' | 'told';
  workflowId: string;
  key: string;
  tool?: string;
  value: unknown;
}

interface KeptEntry {
  seq: number;
  at: number;
  value: unknown;
}

interface EntryRow {
  seq: string;
  workflowId: string;
  kind: 'recorded' | 'told';
  key: string;
  at: string;
  tool: string | null;
  value: string;
}

/** Channels on which engines hear of each other. */
export const CANCELLED = 'buddy_cancelled';
export const ENTERED = 'buddy_entered';

const SCHEMA_VERSION = 1;
const LOCK_POLL_MS = 50;

/**
 * Entries are committed in another order than they are numbered in, so one who reads on from a number could miss some. Whoever
 * adds one holds a lock with the others until it is committed; whoever reads waits for a moment at which nobody holds it, and
 * reads no further than that.
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
CREATE OR REPLACE FUNCTION buddy.keep_entry(
  p_name text, p_workflow_id text, p_kind text, p_key text, p_tool text, p_value text
) RETURNS TABLE (seq bigint, at bigint, value text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lockKey('entries')});
  INSERT INTO buddy.entries (name, workflow_id, kind, key, at, tool, value)
    VALUES (p_name, p_workflow_id, p_kind, p_key, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, p_tool, p_value)
    ON CONFLICT DO NOTHING;
  IF FOUND THEN PERFORM pg_notify('${ENTERED}', ''); END IF;
  RETURN QUERY SELECT e.seq, e.at, e.value FROM buddy.entries e
    WHERE e.workflow_id = p_workflow_id AND e.kind = p_kind AND e.key = p_key;
END $$;
CREATE OR REPLACE FUNCTION buddy.last_whole_entry(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(${lockKey('entries')});
  RETURN (SELECT coalesce(max(seq), 0) FROM buddy.entries WHERE name = p_name);
END $$;
`;
