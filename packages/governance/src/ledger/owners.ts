import { randomUUID } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tryLockFile } from '@buddy/core';
import { LedgerOpenError } from './errors.ts';

/** This ledger, among all that have the file open, as the one whose intents are its own. */
export interface Owner {
  readonly id: string;
  /** The last thing: from now on, what it left open is for others to end. */
  release(): void;
}

/** @param file The database's path; undefined when it is in memory, where nobody else is. */
export function createOwner(file: string | undefined): Owner {
  const id = randomUUID();
  if (file === undefined) return { id, release: () => undefined };
  const path = lockPath(file, id);
  const lock = tryLockFile(path);
  if (!lock)
    throw new LedgerOpenError(`${path} is locked, and should be nobody's but this process's.`);
  return {
    id,
    release: () => {
      lock.release();
      rmSync(path, { force: true });
    },
  };
}

/** Within a transaction, so that no two look at once. */
export function registerOwner(database: DatabaseSync, { id }: Owner, at: number): void {
  database
    .prepare('INSERT INTO audit_owners (id, pid, opened_at) VALUES (?, ?, ?)')
    .run(id, process.pid, at);
}

/** Those that are gone, within a transaction that was begun with a lock. */
export function findGoneOwners(database: DatabaseSync, file: string, self: Owner): string[] {
  return database
    .prepare('SELECT id FROM audit_owners')
    .all()
    .map(({ id }) => String(id))
    .filter((id) => id !== self.id && !isHeld(lockPath(file, id)));
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
