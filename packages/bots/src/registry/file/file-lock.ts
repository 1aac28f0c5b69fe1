import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FileAccessError, type Random, systemClock } from '@buddy/core';
import { RegistryBusyError, RegistryLockError } from '../errors.ts';

/*
 * A lock of the operating system, which vanishes with its holder, whatever ends it: nothing is ever stale, so nothing has
 * to be taken over, and no process number is asked whether it still means who it meant. Node has no such locks; SQLite
 * does (fcntl on POSIX, LockFileEx on Windows), in one database file that stays empty. It also keeps apart two holders in
 * one process, and children do not inherit it.
 *
 * The file is never deleted: of two processes that each locked what was once at this path, one would hold a file that
 * nobody else sees.
 */

export interface FileLock {
  release(): void;
}

export interface LockOptions {
  timeoutMs: number;
  random: Random;
}

/**
 * Waits in real time, for no clock of a test moves other processes.
 * @throws {RegistryBusyError} When others hold it for all of `timeoutMs`. {RegistryLockError} {FileAccessError}
 */
export async function lockFile(
  path: string,
  { timeoutMs, random }: LockOptions,
): Promise<FileLock> {
  const giveUpAt = systemClock.monotonic() + timeoutMs;
  for (let tries = 0; ; tries += 1) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (systemClock.monotonic() >= giveUpAt) {
      throw new RegistryBusyError(
        `Other processes held ${path} for all of ${timeoutMs} ms; try again, or see what hangs.`,
      );
    }
    await systemClock.sleep(pauseMs(tries, random));
  }
}

const SHORTEST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;

/** Full jitter, so that those who wait do not come back at the same moment. */
function pauseMs(tries: number, random: Random): number {
  return SHORTEST_PAUSE_MS + random() * Math.min(LONGEST_PAUSE_MS, 2 ** Math.min(tries, 4));
}

/** SQLite would make a journal for what is never written, and leave it there when we are killed. */
const LOCK = 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE';

function tryLock(path: string): FileLock | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec(LOCK);
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw whyNot(path, error);
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'errcode') === SQLITE_BUSY;
}

/** SQLite says only that it cannot open the file; the system says why, when it is for the folder. */
function whyNot(path: string, error: unknown): FileAccessError | RegistryLockError {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (reason) {
    return new FileAccessError('write', path, reason);
  }
  return new RegistryLockError(path, error);
}
