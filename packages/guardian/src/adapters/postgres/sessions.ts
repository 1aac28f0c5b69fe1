import type { Clock } from '@buddy/core';
import type { LockHolder } from '../../resource/adapters/database.ts';
import type { PostgresClient } from './client.ts';

const POLL_MS = 10;

const HOLDERS = `
  WITH waiting AS (
    SELECT unnest(pg_blocking_pids(pid)) AS pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'
  )
  SELECT pid, started, application_name AS name, idle_ms FROM (
    SELECT pid, application_name, state,
      (extract(epoch FROM backend_start) * 1000000)::bigint::text AS started,
      CASE WHEN state LIKE 'idle in transaction%'
        THEN extract(epoch FROM clock_timestamp() - state_change)::float8 * 1000 END AS idle_ms
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
  ) AS sessions
  WHERE idle_ms >= $1 OR pid IN (SELECT pid FROM waiting)
  ORDER BY idle_ms DESC NULLS LAST`;

/** Sessions that others wait for, or that forgot their transaction, the longest idle first. */
export async function findLockHolders(
  client: PostgresClient,
  {
    applicationName,
    idleInTransactionMs,
  }: { applicationName: string; idleInTransactionMs: number },
): Promise<LockHolder[]> {
  const { rows } = await client.query(HOLDERS, [idleInTransactionMs]);
  return rows.map(({ pid, started, name, idle_ms: idleMs }) => ({
    id: `${Number(pid)}/${String(started)}`,
    name: `session ${Number(pid)} of ${String(name) || 'an unnamed application'}`,
    isOurs: name === applicationName,
    idleMs: typeof idleMs === 'number' ? idleMs : undefined,
  }));
}

const END = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint::text = $2
    AND application_name = $3`;

const IS_THERE = `
  SELECT 1 FROM pg_stat_activity
  WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint::text = $2`;

/** Ends a session, by the id of a lock holder, where it is of this application, and waits until it is gone. */
export async function endSession(
  client: PostgresClient,
  id: string,
  {
    applicationName,
    clock,
    signal,
  }: { applicationName: string; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const [pid, started] = id.split('/');
  const session = [Number(pid), started];
  await client.query(END, [...session, applicationName]);
  const isThere = async () => (await client.query(IS_THERE, session)).rows.length > 0;
  while (await isThere()) await clock.sleep(POLL_MS, signal);
}

const WAITING = `
  SELECT count(*)::int AS count FROM pg_stat_activity
  WHERE wait_event_type = 'Lock' AND clock_timestamp() - state_change > $1 * interval '1 ms'`;

/** How many sessions have waited for a lock for longer than so many ms. */
export async function countWaiting(client: PostgresClient, forMs: number): Promise<number> {
  const { rows } = await client.query(WAITING, [forMs]);
  return Number(rows[0]?.['count']);
}
