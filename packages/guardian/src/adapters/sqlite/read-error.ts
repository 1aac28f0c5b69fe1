import { describeFailure } from '@buddy/core';
import { failed, unknown } from '../../probes/layers/layer.ts';
import type { Reading } from '../../resource/reading.ts';

/** Result codes of SQLite, https://sqlite.org/rescode.html; the lower byte of an extended one. */
const CODES = {
  busy: 5,
  locked: 6,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/**
 * What an error of SQLite says of its file. Errors of other things (a wrong statement, a constraint) say nothing of it.
 * @example
 * readSqliteError(error).status; // FAILED, with the signal database.corrupted, for SQLITE_CORRUPT
 */
export function readSqliteError(error: unknown): Reading {
  return readSqliteCode(sqliteCodeOf(error), describeFailure(error).message);
}

/** The same of its result code, plain or extended. */
export function readSqliteCode(code: number | undefined, message: string): Reading {
  switch ((code ?? 0) & 0xff) {
    case CODES.corrupt:
    case CODES.notADatabase:
      return failed('database.corrupted', 'decisive', message);
    case CODES.busy:
    case CODES.locked:
      return failed('database.locked', 'ambiguous', message);
    case CODES.full:
      return failed('disk.full', 'decisive', message);
    case CODES.io:
      return failed('database.unreadable', 'ambiguous', message);
    case CODES.cannotOpen:
      return failed('database.cannot_open', 'ambiguous', message);
    default:
      return unknown('probe_error', message);
  }
}

export function isBusy(error: unknown): boolean {
  const code = (sqliteCodeOf(error) ?? 0) & 0xff;
  return code === CODES.busy || code === CODES.locked;
}

/** The result code, where it is an error of SQLite. */
function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
