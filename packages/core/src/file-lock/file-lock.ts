import process from 'node:process';
import type { DatabaseSync } from 'node:sqlite';

/** Held for as long as this process lives, or until it is released. */
export interface FileLock {
  release(): void;
}

export interface FileLockOptions {
  /**
   * How long to wait for who has it or is just coming for it, in ms; it blocks this process. Default 50. With 0, two that
   * come at the same moment may stand in each other's way, and neither gets it.
   */
  patienceMs?: number;
}

/** SQLite would make a journal for what is never written, and leave it there when we are killed. */
const LOCK = 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE';

/**
 * Takes a lock of the operating system, which vanishes with its holder, whatever ends it: nothing is ever stale, so nothing
 * has to be taken over, and no process number is asked whether it still means who it meant. Keeps apart two holders in one
 * process, too; children do not inherit it.
 *
 * Node has no such locks; SQLite does (fcntl on POSIX, LockFileEx on Windows), in a database file that stays empty. Do not
 * delete that file while others may come for it: of two that each locked what was once at this path, one would hold a file
 * that nobody else sees.
 * @param path Of a file that nothing else is kept in; made when it is not there. Not on a network file system.
 * @returns Undefined when somebody else holds it.
 * @throws What SQLite throws when the file cannot be opened.
 * @example
 * const lock = tryLockFile('out/state/journal.db-owner');
 * if (!lock) throw new Error('Another process works on it');
 */
export function tryLockFile(
  path: string,
  { patienceMs = 50 }: FileLockOptions = {},
): FileLock | undefined {
  // Not imported: of all who import this package few lock files, and some may not load SQLite.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const file = new DatabaseSync(path, { timeout: patienceMs });
  try {
    file.exec(LOCK);
  } catch (error) {
    file.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  held.add(file);
  return {
    release: () => {
      if (held.delete(file)) file.close();
    },
  };
}

/** What nothing refers to is collected, and closed with it: a lock would be let go of because its holder dropped the handle. */
const held = new Set<DatabaseSync>();

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY;
}
