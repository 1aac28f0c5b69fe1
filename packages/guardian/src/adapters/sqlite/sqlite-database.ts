import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Clock, type NewId, parseOrThrow, randomId, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { failed, unknown } from '../../probes/layers/layer.ts';
import type { LockHolder, SqliteAdapter } from '../../resource/adapters/database.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { type Backup, BackupFolder } from './backup-folder.ts';
import { exists, putBackReadOnly, setAside } from './file-set.ts';
import { doFileWork } from './file-thread.ts';
import { type FileLockHolder, findOpeners, findWriters } from './lock-holders.ts';
import { isBusy, readSqliteError } from './read-error.ts';

export const SqliteDatabaseOptions = z.strictObject({
  /** Path of the database. */
  file: z.string().min(1),
  /** Folder for backups; best on another disk. */
  backups: z.string().min(1),
  /** Folder for what is set aside, on the file's own disk. Default: `file` and `.quarantine`. */
  quarantine: z.string().min(1).exactOptional(),
  /** How many backups are kept. */
  keepBackups: z.int().positive().default(5),
  /** A probe that cannot have the write lock for so long, in ms, calls the database locked. */
  busyMs: z.number().positive().default(5_000),
  /** A write has to be done in so long, in ms, when it is to prove that the database is well. */
  canaryMs: z.number().positive().default(100),
  /** How long the file may still be open after the writers were stopped, in ms. */
  closeWaitMs: z.number().nonnegative().default(3_000),
  /** How often probes read the whole file, in ms; in between they look at its first pages only. */
  checkEveryMs: z.number().positive().default(600_000),
  /** How many may write at once; for those who ask `writerLimit`. */
  writers: z.int().positive().default(4),
});
export type SqliteDatabaseInput = z.input<typeof SqliteDatabaseOptions>;
type SqliteDatabaseOptions = z.output<typeof SqliteDatabaseOptions>;

/** The application that writes. */
export interface SqliteWriters {
  /** Closes every connection, in whatever process. */
  stop?(signal: AbortSignal): Promise<void>;
  resume?(signal: AbortSignal): Promise<void>;
  /** Whether a process that holds the write lock is one of them. Default: none is. */
  isOurs?(holder: ProcessIdentity): Promise<boolean>;
  /** Has one of them roll back its transaction: a message, a signal that it knows. */
  endTransaction?(holder: ProcessIdentity, signal: AbortSignal): Promise<void>;
}

export interface SqliteDatabasePorts {
  clock?: Clock;
  newId?: NewId;
  writers?: SqliteWriters;
  /** Does again what was written since `since` (ms since the epoch), when a backup was restored. Must bear being called twice. */
  replay?: (since: number, signal: AbortSignal) => Promise<void>;
}

export interface SqliteDatabase extends SqliteAdapter {
  /**
   * Copies the database while others use it, proves that the copy is whole, and forgets the oldest ones.
   * @throws {GuardianMisuseError} When the copy is not whole: then so is the database.
   */
  takeBackup(): Promise<Backup>;
  /** To be told every error of SQLite that the application meets: it is the first to notice. */
  noteError(error: unknown): void;
  /** What was restored last, and what that cost: what was written in `lostMs` before is only in what was set aside. */
  lastRestore(): { backup: Backup; at: number; lostMs: number } | undefined;
}

const POLL_MS = 5;
const MOVING = unknown('disabled', 'its writers are stopped: the file may be on its way');
/** A look at the whole file is not repeated for so long, in ms: to prove a healing it is asked for again and again. */
const FRESH_MS = 2_000;

/**
 * A database in one file, with verified backups and a quarantine. Nothing of it ever deletes what was set aside.
 *
 * Open the file with `node:sqlite` only in a process that has this adapter: POSIX locks end when any other library of the
 * same process closes the file.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const orders = createSqliteDatabase({ file: 'orders.db', backups: '/backup/orders' }, { writers });
 * await orders.takeBackup(); // every hour, say
 */
export function createSqliteDatabase(
  input: SqliteDatabaseInput,
  ports: SqliteDatabasePorts = {},
): SqliteDatabase {
  return new FileDatabase(parseOrThrow(SqliteDatabaseOptions, input, 'a SQLite database'), ports);
}

class FileDatabase implements SqliteDatabase {
  readonly kind = 'sqlite';
  readonly #options: SqliteDatabaseOptions;
  readonly #clock: Clock;
  readonly #writers: SqliteWriters;
  readonly #replay: SqliteDatabasePorts['replay'];
  readonly #backups: BackupFolder;
  readonly #quarantine: string;
  readonly #checks = new Map<'quick' | 'full', { reading: Promise<Reading>; endedAt: number }>();
  #wholeCheckDueAt: number;
  #writerLimit: number;
  /** From when the writers are stopped until they are let in again. */
  #isMoving = false;
  #moves = 0;
  #lastRestore: { backup: Backup; at: number; lostMs: number } | undefined;
  #raise: ((sign: Sign) => void) | undefined;

  constructor(options: SqliteDatabaseOptions, ports: SqliteDatabasePorts) {
    const { clock = systemClock, newId = randomId('backup'), writers = {}, replay } = ports;
    this.#options = options;
    this.#clock = clock;
    this.#writers = writers;
    this.#replay = replay;
    this.#quarantine = options.quarantine ?? `${options.file}.quarantine`;
    this.#writerLimit = options.writers;
    this.#wholeCheckDueAt = clock.monotonic();
    const { backups: folder, keepBackups: keep } = options;
    this.#backups = new BackupFolder({ folder, keep, clock, newId });
  }

  /** While the file is moved, nothing that is seen there is so: least of all that it is damaged. */
  async probe(signal: AbortSignal): Promise<Reading> {
    const moves = this.#moves;
    const reading = this.#isMoving ? MOVING : await this.#look(signal);
    return this.#moves === moves ? reading : MOVING;
  }

  async #look(signal: AbortSignal): Promise<Reading> {
    const { file, busyMs, checkEveryMs } = this.#options;
    if (!(await exists(file))) {
      return failed('database.missing', 'decisive', `${file} is not there`);
    }
    const opened = await this.#tryWriteLock(busyMs, signal, (database) => {
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
    });
    if (opened.status !== 'HEALTHY') return opened;
    if (this.#clock.monotonic() < this.#wholeCheckDueAt) return this.#well();
    const whole = await this.check('quick', signal);
    if (whole.status !== 'HEALTHY') return whole;
    this.#wholeCheckDueAt = this.#clock.monotonic() + checkEveryMs;
    return this.#well();
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.#raise = raise;
    return () => {
      this.#raise = undefined;
    };
  }

  noteError(error: unknown): void {
    const reading = readSqliteError(error);
    if (reading.status !== 'FAILED') return;
    this.#wholeCheckDueAt = this.#clock.monotonic(); // whatever it is, it is worth a look
    this.#raise?.(reading);
  }

  /** Who asks while somebody looks already is told the same, for it may take longer than a probe has. */
  check(depth: 'quick' | 'full', _signal?: AbortSignal): Promise<Reading> {
    const known = this.#checks.get(depth);
    if (known && this.#clock.monotonic() < known.endedAt + FRESH_MS) return known.reading;
    const { file } = this.#options;
    const reading = doFileWork({ do: 'check', file, depth });
    const entry = { reading, endedAt: Infinity };
    this.#checks.set(depth, entry);
    const end = (): void => {
      entry.endedAt = this.#clock.monotonic();
    };
    reading.then(end, end);
    return reading;
  }

  async writeCanary(signal: AbortSignal): Promise<Reading> {
    return this.#tryWriteLock(this.#options.canaryMs, signal, (database) => {
      // A real commit of a page, to the value that it has.
      const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
      database.exec(`PRAGMA user_version = ${Number(version)}; COMMIT`);
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
    });
  }

  async lockHolders(_signal?: AbortSignal): Promise<readonly LockHolder[]> {
    const writers = (await findWriters(this.#options.file)) ?? [];
    return Promise.all(
      writers.map(async (writer) => ({
        id: idOf(writer),
        name: `${writer.program} (process ${writer.pid})`,
        isOurs: (await this.#writers.isOurs?.(writer)) ?? false,
        idleMs: undefined, // SQLite does not tell
      })),
    );
  }

  async endTransaction(id: string, signal: AbortSignal): Promise<void> {
    const find = async (): Promise<FileLockHolder | undefined> =>
      (await findWriters(this.#options.file))?.find((writer) => idOf(writer) === id);
    const holder = await find();
    if (!holder) return;
    if (!this.#writers.endTransaction || (await this.#writers.isOurs?.(holder)) !== true) {
      throw new GuardianMisuseError(
        `Process ${holder.pid} (${holder.program}) is not one of our writers, so its transaction is left alone.`,
      );
    }
    await this.#writers.endTransaction(holder, signal);
    while (await find()) await this.#clock.sleep(POLL_MS, signal);
  }

  writerLimit(): number {
    return this.#writerLimit;
  }

  async limitWriters(most: number): Promise<void> {
    this.#writerLimit = Math.max(1, most);
  }

  async backups(): Promise<readonly Backup[]> {
    return this.#backups.list();
  }

  async checkBackup(id: string): Promise<Reading> {
    return this.#backups.check(id);
  }

  takeBackup(): Promise<Backup> {
    return this.#backups.take(this.#options.file);
  }

  hasJournal(): boolean {
    return this.#replay !== undefined;
  }

  lastRestore(): { backup: Backup; at: number; lostMs: number } | undefined {
    return this.#lastRestore;
  }

  async stopWriters(signal: AbortSignal): Promise<void> {
    this.#isMoving = true;
    this.#moves += 1;
    await Promise.allSettled([...this.#checks.values()].map(({ reading }) => reading));
    await this.#writers.stop?.(signal);
    const { file, closeWaitMs } = this.#options;
    const deadline = this.#clock.monotonic() + closeWaitMs;
    for (;;) {
      const openers = await findOpeners(file);
      if (openers === undefined || openers.length === 0) return;
      if (this.#clock.monotonic() >= deadline) {
        throw new GuardianMisuseError(
          `Process ${openers.join(', ')} still has ${file} open after the writers were stopped; what it writes would be lost.`,
        );
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  async resumeWriters(signal: AbortSignal): Promise<void> {
    await this.#writers.resume?.(signal);
    this.#isMoving = false;
    this.#moves += 1;
  }

  async quarantine(name: string): Promise<void> {
    this.#forgetChecks();
    await setAside(this.#options.file, join(this.#quarantine, name));
  }

  async putBack(name: string): Promise<void> {
    this.#forgetChecks();
    await putBackReadOnly(this.#options.file, join(this.#quarantine, name));
  }

  async restore(backupId: string): Promise<void> {
    const backup = await this.#backups.find(backupId);
    await this.#backups.restore(backupId, this.#options.file);
    this.#forgetChecks();
    const at = this.#clock.now();
    this.#lastRestore = { backup, at, lostMs: at - backup.takenAt };
  }

  async replayJournal(backupId: string, signal: AbortSignal): Promise<void> {
    const { takenAt } = await this.#backups.find(backupId);
    await this.#replay?.(takenAt, signal);
  }

  async checkpoint(): Promise<void> {
    const { file } = this.#options;
    const reading = await doFileWork({ do: 'checkpoint', file });
    if (reading.status !== 'HEALTHY') {
      throw new GuardianMisuseError(`The journal of ${file} cannot be played in: ${reading.note}`);
    }
  }

  /** Has the write lock within a time, without standing in the event loop's way meanwhile. */
  async #tryWriteLock(
    withinMs: number,
    signal: AbortSignal,
    work: (database: DatabaseSync) => void,
  ): Promise<Reading> {
    const { file } = this.#options;
    const deadline = this.#clock.monotonic() + withinMs;
    for (;;) {
      try {
        using database = new DatabaseSync(existing(file), { timeout: 0 });
        database.exec('BEGIN IMMEDIATE');
        work(database);
        return HEALTHY;
      } catch (error) {
        if (!isBusy(error) || this.#clock.monotonic() >= deadline) return readSqliteError(error);
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  #well(): Reading {
    if (!this.#lastRestore) return HEALTHY;
    const { backup, at, lostMs } = this.#lastRestore;
    const note = `restored ${iso(at)} from the backup of ${iso(backup.takenAt)}: what was written in the ${Math.round(lostMs / 1_000)} s between is in ${this.#quarantine} only, unless it was replayed`;
    return { status: 'HEALTHY', note };
  }

  #forgetChecks(): void {
    this.#checks.clear();
    this.#wholeCheckDueAt = this.#clock.monotonic();
  }
}

/** Opened so, a file that is not there is not made. */
function existing(file: string): URL {
  const url = pathToFileURL(file);
  url.searchParams.set('mode', 'rw');
  return url;
}

function idOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid}/${startTime}`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
