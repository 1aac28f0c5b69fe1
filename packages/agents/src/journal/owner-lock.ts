import { DatabaseSync } from 'node:sqlite';

/** Held for as long as this process lives; the system lets go of it, whatever ends the process. */
export interface OwnerLock {
  release(): void;
}

/**
 * Takes the lock on a file of its own; undefined when another process has it. SQLite is what locks files here, for Node does
 * not.
 */
export function takeOwnerLock(path: string): OwnerLock | undefined {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  // The file stays: whoever took it away might take it from one who has just opened it.
  return { release: () => file.close() };
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY;
}
