import type { Reading } from '../reading.ts';
import type { Probed } from './probed.ts';

/** Somebody for whom the others wait: a process with the write lock of a file, a session in the midst of a transaction. */
export interface LockHolder {
  /** Never another's: a process number and its start, a session and its start. */
  id: string;
  /** For people. */
  name: string;
  /** Whether it is of the application that is healed. Of anybody else nothing is ended. */
  isOurs: boolean;
  /** How long it has done nothing in its transaction, in ms; undefined where that cannot be known. */
  idleMs: number | undefined;
}

/** What can be done about writers that wait, whatever the database is. */
interface Lockable {
  /** Those for whom writers wait now, the longest idle first. */
  lockHolders(signal: AbortSignal): Promise<readonly LockHolder[]>;
  /** Has one of our own give up its transaction. Nothing when it has none any more. */
  endTransaction(id: string, signal: AbortSignal): Promise<void>;
  /** How many may write at once. */
  writerLimit(): number;
  limitWriters(most: number, signal: AbortSignal): Promise<void>;
  /** Really writes, in a transaction and in its time, and leaves nothing behind. */
  writeCanary(signal: AbortSignal): Promise<Reading>;
}

export interface SqliteAdapter extends Probed, Lockable {
  readonly kind: 'sqlite';
  check(depth: 'quick' | 'full', signal: AbortSignal): Promise<Reading>;
  /** The newest first. */
  backups(signal: AbortSignal): Promise<readonly { id: string; takenAt: number }[]>;
  /** Whether a backup is still what was written, and whole. */
  checkBackup(id: string, signal: AbortSignal): Promise<Reading>;
  /** Whether what was written since a backup can be done again. */
  hasJournal(): boolean;
  /** Has every connection closed, and waits until nobody has the file open. */
  stopWriters(signal: AbortSignal): Promise<void>;
  resumeWriters(signal: AbortSignal): Promise<void>;
  /** Sets the file and its journals aside under `name`, whole. Nothing when there is something under that name. */
  quarantine(name: string, signal: AbortSignal): Promise<void>;
  /** Puts it back as it was, but for reading only. */
  putBack(name: string, signal: AbortSignal): Promise<void>;
  /** Puts a copy of a backup in the file's place, once it has proved to be whole. */
  restore(backupId: string, signal: AbortSignal): Promise<void>;
  /** Does again what was written since the backup. */
  replayJournal(backupId: string, signal: AbortSignal): Promise<void>;
  checkpoint(signal: AbortSignal): Promise<void>;
}

export interface PostgresAdapter extends Probed, Lockable {
  readonly kind: 'postgres';
  target(): string;
  targets(): readonly string[];
  /** Asks a target: can it be reached, and does it take writes? */
  probeTarget(target: string, signal: AbortSignal): Promise<Reading>;
  /** Its server, where that is ours to start; else `not_ours`. */
  server(signal: AbortSignal): Promise<'running' | 'down' | 'not_ours'>;
  /** Closes all connections and makes new ones when they are asked for. */
  dropPool(signal: AbortSignal): Promise<void>;
  useTarget(target: string, signal: AbortSignal): Promise<void>;
  /** Waits until what is left of the old server is gone, starts it, and waits until it takes connections. */
  startServer(signal: AbortSignal): Promise<void>;
  stopServer(signal: AbortSignal): Promise<void>;
}
