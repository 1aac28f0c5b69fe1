import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type Clock,
  describeFailure,
  type FileLock,
  type NewId,
  parseOrThrow,
  randomId,
  systemClock,
  tryLockFile,
} from '@buddy/core';
import { z } from 'zod';
import type { Operation, WorkflowStore } from '../durable/workflow-store.ts';
import { JournalOpenError, JournalVersionError } from './errors.ts';
import { refuseNetworkFileSystem } from './file-system.ts';
import { GroupCommit } from './group-commit.ts';
import { JournalReader } from './journal-reader.ts';
import { openForWriting } from './open-database.ts';
import { prepareTables } from './schema.ts';
import { type BatchWriter, WriterThread } from './writer-thread.ts';

export const JournalOptions = z.strictObject({
  /** Path of the SQLite file, made when it is not there, with its folder. On a local disk. */
  file: z.string().min(1),
});
export type JournalInput = z.input<typeof JournalOptions>;

export interface JournalPorts {
  clock?: Clock;
  /** Names requests, so that what a refused one did can be taken back. Each name is new to the journal. */
  newId?: NewId;
  /** What writes; default a thread. */
  writer?: (file: string) => BatchWriter;
  /** The magic number of the file system of a folder; default asked of the system. */
  fileSystemOf?: (folder: string) => number;
}

/**
 * Opens the journal of an engine that loses nothing when its process dies: a SQLite file that this process alone may write.
 * What `keep` and `offer` resolve for has been synced to the disk.
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {JournalOpenError} When another process has it, it is no journal, or its place is not fit for one.
 * @throws {JournalVersionError} When a newer version of the package wrote it.
 * @example
 * const engine = createEngine({ store: openJournal({ file: 'out/state/journal.db' }) });
 */
export function openJournal(input: JournalInput, ports: JournalPorts = {}): WorkflowStore {
  const options = parseOrThrow(JournalOptions, input, 'options of openJournal');
  const { clock = systemClock, newId = randomId('request') } = ports;
  const { writer = (path) => new WriterThread(path), fileSystemOf } = ports;
  const file = resolve(options.file);
  using opened = new DisposableStack(); // let go when what follows fails
  try {
    mkdirSync(dirname(file), { recursive: true });
    refuseNetworkFileSystem(dirname(file), fileSystemOf);
    const lock = opened.adopt(ownerOf(file), (taken) => taken.release());
    // Made here, for SQLite lets everybody read what it makes; its other files take over the rights of this one.
    closeSync(openSync(file, 'a', 0o600));
    prepare(file);
    const reader = opened.adopt(new JournalReader(file), (open) => open.close());
    const journal = new Journal(new GroupCommit(writer(file), clock, newId), reader, lock);
    opened.move();
    return journal;
  } catch (error) {
    if (error instanceof JournalOpenError || error instanceof JournalVersionError) throw error;
    throw new JournalOpenError(
      `The journal at ${file} cannot be opened: ${describeFailure(error).message}`,
      { cause: error },
    );
  }
}

function ownerOf(file: string): FileLock {
  const lock = tryLockFile(`${file}-owner`);
  if (lock) return lock;
  throw new JournalOpenError(
    `Another process works on the journal at ${file}; end it first, or tell it what to do over its socket`,
  );
}

/** Makes its tables, or says why it cannot be used: before anybody relies on it, and not in another thread. */
function prepare(file: string): void {
  const database = openForWriting(file);
  try {
    prepareTables(database, file);
  } finally {
    database.close();
  }
}

class Journal implements WorkflowStore {
  readonly #commits: GroupCommit;
  readonly #reader: JournalReader;
  readonly #lock: FileLock;
  #isClosed = false;

  constructor(commits: GroupCommit, reader: JournalReader, lock: FileLock) {
    this.#commits = commits;
    this.#reader = reader;
    this.#lock = lock;
  }

  keep(operation: Operation): Promise<void> {
    return this.#commits.keep(operation);
  }

  offer(operation: Operation): Promise<void> {
    return this.#commits.offer(operation);
  }

  stalled(): Promise<void> | undefined {
    return this.#commits.stalled();
  }

  settled(): Promise<void> {
    return this.#commits.settled();
  }

  load(id: string) {
    return this.#reader.load(id);
  }

  unfinished(below?: string) {
    return this.#reader.unfinished(below);
  }

  views() {
    return this.#reader.views();
  }

  history(after: number) {
    return this.#reader.history(after);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#commits.close();
    this.#reader.close();
    this.#lock.release();
  }
}
