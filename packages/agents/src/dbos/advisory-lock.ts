import { hash } from 'node:crypto';
import type pg from 'pg';

/** Of an advisory lock: 64 bits that nobody else is likely to use. */
export function lockKey(name: string): string {
  return hash('sha256', `buddy/${name}`, 'buffer').readBigInt64BE(0).toString();
}

export async function tryLock(session: pg.Client, key: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock($1::bigint) AS locked',
    [key],
  );
  return rows[0]?.locked ?? false;
}

export async function unlock(session: pg.Client, key: string): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1::bigint)', [key]);
}
