import type { DatabaseSync } from 'node:sqlite';

/** Reads in one transaction, so that what other processes commit meanwhile is seen by all of `work` or by none. */
export function atOneMoment<T>(database: DatabaseSync, work: (database: DatabaseSync) => T): T {
  database.exec('BEGIN');
  try {
    return work(database);
  } finally {
    database.exec('ROLLBACK');
  }
}
