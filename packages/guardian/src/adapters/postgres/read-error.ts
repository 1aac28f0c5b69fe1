import { describeFailure } from '@buddy/core';
import { errorCode, failed, unknown } from '../../probes/layers/layer.ts';
import type { Reading } from '../../resource/reading.ts';

/** https://postgresql.org/docs/18/errcodes-appendix.html */
const SIGNALS: Readonly<Record<string, string>> = {
  '57P01': 'database.unavailable', // admin_shutdown, also of one session: pg_terminate_backend
  '57P02': 'database.unavailable', // crash_shutdown
  '57P03': 'database.unavailable', // cannot_connect_now: it starts, or recovers
  '53300': 'database.pool_exhausted', // too_many_connections
  '53100': 'disk.full',
  '55P03': 'database.locked', // lock_not_available
  '25006': 'database.read_only',
  '28P01': 'credential.refused', // invalid_password
  '28000': 'credential.refused',
  XX001: 'database.corrupted', // data_corrupted: a checksum that does not fit
  XX002: 'database.corrupted', // index_corrupted
};

const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);
const NO_WAY_THERE = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * What an error of a Postgres client says of the database. Errors of other things (a wrong statement, a constraint) say
 * nothing of it.
 * @example
 * readPostgresError(error).status; // FAILED, with the signal database.unavailable, for ECONNREFUSED
 */
export function readPostgresError(error: unknown): Reading {
  const { message } = describeFailure(error);
  const code = errorCode(error) ?? '';
  const signal = SIGNALS[code];
  if (signal !== undefined) return failed(signal, 'decisive', message);
  if (CONNECTION_LOST.has(code) || code.startsWith('08')) {
    return failed('database.unavailable', 'decisive', message);
  }
  if (NO_WAY_THERE.has(code)) return failed('database.unavailable', 'ambiguous', message);
  // `pg` gives these no code.
  if (/Connection terminated|Client has encountered a connection error/.test(message)) {
    return failed('database.unavailable', 'decisive', message);
  }
  if (/timeout exceeded when trying to connect/.test(message)) {
    return failed('database.pool_exhausted', 'ambiguous', message);
  }
  return unknown('probe_error', message);
}
