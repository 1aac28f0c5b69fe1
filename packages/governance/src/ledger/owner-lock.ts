import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/*
 * Whether a process is still there, asked of the operating system: it holds a lock on a file of its own for as long as it
 * lives. Process numbers are used again and differ between containers, and heartbeats need clocks that agree; locks vanish
 * with their holder, whatever ends it. SQLite is what locks files here, for Node does not.
 */

interface OwnerLock {
  release(): void;
}

/** @param path Of a file that nobody else uses. */
export function holdLock(path: string): OwnerLock {
  const file = new DatabaseSync(path, { timeout: 0 });
  file.exec('BEGIN EXCLUSIVE');
  return {
    release: () => {
      file.close();
      rmSync(path, { force: true });
    },
  };
}

export function isHeld(path: string): boolean {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    file.close();
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY;
}
