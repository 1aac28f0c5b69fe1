import { DatabaseSync } from 'node:sqlite';

/** A connection that writes. What it commits has been synced to the disk. */
export function openForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;',
  );
  return database;
}
