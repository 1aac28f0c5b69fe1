import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { FileAccessError, type FileLock, type Random, systemClock, tryLockFile } from '@buddy/core';
import { RegistryBusyError, RegistryLockError } from '../errors.ts';

export interface LockOptions {
  timeoutMs: number;
  random: Random;
}

/**
 * Waits for `tryLockFile`, on a file that is never deleted. In real time, for no clock of a test moves other processes.
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

function tryLock(path: string): FileLock | undefined {
  try {
    return tryLockFile(path, { patienceMs: 0 }); // who waits, waits without standing still
  } catch (error) {
    throw whyNot(path, error);
  }
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
