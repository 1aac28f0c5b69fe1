import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { tryLockFile } from '@buddy/core';
import { LedgerOpenError } from './errors.ts';

/** This ledger, among all that have the file open, as the one whose intents are its own. */
export interface Owner {
  readonly id: string;
  /** The last thing: from now on, what it left open is for others to end; then `keepsLock`, for them to see that it is gone. */
  release(options?: { keepsLock?: boolean }): void;
}

/** Of this process; those in other threads of it are known by their locks only. */
const living = new Set<string>();

/** @param file The database's path; undefined when it is in memory, where nobody else is. */
export function createOwner(file: string | undefined): Owner {
  const id = randomUUID();
  if (file === undefined) return { id, release: () => undefined };
  living.add(id);
  const path = lockPath(file, id);
  const lock = tryLockFile(path);
  if (!lock) {
    living.delete(id);
    throw new LedgerOpenError(`${path} is locked, and should be nobody's but this process's.`);
  }
  return {
    id,
    release: ({ keepsLock = false } = {}) => {
      living.delete(id);
      lock.release();
      if (!keepsLock) rmSync(path, { force: true });
    },
  };
}

/** Within a transaction, so that no two look at once. Again when somebody took it for gone: it is not. */
export function registerOwner(database: DatabaseSync, { id }: Pick<Owner, 'id'>, at: number): void {
  database
    .prepare('INSERT OR IGNORE INTO audit_owners (id, pid, host, opened_at) VALUES (?, ?, ?, ?)')
    .run(id, process.pid, hostname(), at);
}

/** Those that are gone, within a transaction that was begun with a lock. */
export function findGoneOwners(database: DatabaseSync, file: string, self: Owner): string[] {
  return database
    .prepare('SELECT id, pid, host FROM audit_owners')
    .all()
    .filter(({ id }) => id !== self.id)
    .filter(({ id, pid, host }) => {
      const path = lockPath(file, String(id));
      // Looked at first, for whoever tries a lock makes its file.
      if (existsSync(path)) return !isHeld(path);
      return !mayLive(String(id), Number(pid), host);
    })
    .map(({ id }) => String(id));
}

/**
 * Of one whose lock file somebody has swept away, and with it the one sure sign. In doubt it lives: its intents stay open,
 * which harms nobody, and no outcome is invented for a call that is still under way.
 */
function mayLive(id: string, pid: number, host: unknown): boolean {
  if (typeof host === 'string' && host !== hostname()) return true;
  if (pid === process.pid) return living.has(id);
  try {
    process.kill(pid, 0); // asks only
    return true;
  } catch (error) {
    return Reflect.get(Object(error), 'code') !== 'ESRCH';
  }
}

export function hasOpenIntents(database: DatabaseSync, { id }: Owner): boolean {
  return database.prepare('SELECT 1 FROM audit_open_intents WHERE owner = ?').get(id) !== undefined;
}

/** Forgets owners whose intents all have their outcome. */
export function forgetOwners(database: DatabaseSync, ids: readonly string[]): void {
  const remove = database.prepare('DELETE FROM audit_owners WHERE id = ?');
  for (const id of ids) remove.run(id);
}

/** Process numbers are used again and differ between containers, and heartbeats need clocks that agree; locks do not. */
function isHeld(path: string): boolean {
  const lock = tryLockFile(path);
  lock?.release();
  return lock === undefined;
}

/** After the commit that forgot them. */
export function removeLocks(file: string, ids: readonly string[]): void {
  for (const id of ids) rmSync(lockPath(file, id), { force: true });
}

/** By the file's real name: another process may have come to it by a link. */
function lockPath(file: string, id: string): string {
  return `${realpathSync(file)}-owner-${id}`;
}
