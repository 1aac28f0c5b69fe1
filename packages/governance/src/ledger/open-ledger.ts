import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  type Clock,
  createGuardedEmitter,
  describeFailure,
  type Logger,
  parseOrThrow,
  silentLogger,
  systemClock,
} from '@buddy/core';
import { z } from 'zod';
import { checkLog, latestNote } from '../audit/check-log.ts';
import { type Checkpoint, openCheckpoint } from '../audit/checkpoint.ts';
import { Checkpointer, type PublishCheckpoint } from '../audit/checkpointer.ts';
import { digestValue } from '../audit/keyed-digest.ts';
import { type LedgerKeys, makeLedgerKeys, openLedgerKeys } from '../audit/keys.ts';
import { LOG_MIGRATIONS } from '../audit/log-schema.ts';
import { LogWriter } from '../audit/log-writer.ts';
import { type RationaleOptions, rationaleToKeep } from '../audit/rationale.ts';
import { endOpenIntents } from '../audit/recovery.ts';
import { createNoteVerifier, KEY_NAME } from '../audit/signed-note.ts';
import { LedgerClosedError } from '../errors.ts';
import { atOneMoment } from './at-one-moment.ts';
import { LedgerMisuseError, LedgerOpenError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import type { AuditedLedger, LedgerEvents, LedgerTransaction } from './ledger.ts';
import { migrate, type Migration } from './migrations.ts';
import {
  createOwner,
  findGoneOwners,
  forgetOwners,
  hasOpenIntents,
  type Owner,
  registerOwner,
  removeLocks,
} from './owners.ts';

export const LedgerOptions = z.strictObject({
  /** Path of the SQLite file, made when it is not there; its folder must be. `:memory:` for one that is not kept. */
  file: z.string().min(1),
  /** Path of the file with the log's secret keys, made with mode 0600 when there is no log yet. Default: `file` and `.key`. */
  keyFile: z.string().min(1).exactOptional(),
  /** The log's name in checkpoints, like a URL without its scheme. Default: one that no other log has. */
  origin: z.string().regex(KEY_NAME, 'no spaces, no plus').exactOptional(),
  /** A checkpoint is signed when so many entries have none. */
  checkpointEntries: z.int().positive().default(256),
  /** A checkpoint is signed when an entry has had none for so long, in ms. */
  checkpointMs: z.number().positive().default(1_000),
  /** How long a commit waits for other processes that write, in ms. Only opening blocks this process meanwhile. */
  busyTimeoutMs: z.int().nonnegative().default(10_000),
  /** What a commit survives, and so what "durable" means; see `GovernanceOptions`. */
  survives: z.enum(['power_loss', 'process_crash']).default('power_loss'),
});
export type LedgerInput = z.input<typeof LedgerOptions>;
export type LedgerOptions = z.output<typeof LedgerOptions>;

export interface LedgerPorts {
  /** Default: the system's. */
  clock?: Clock;
  /** The tables of the other parts. */
  migrations?: readonly Migration[];
  /** Gets every checkpoint that is signed here, and at the start the last one again, one after the other. */
  publish?: PublishCheckpoint;
  /** Where the keys are kept elsewhere than in a file. */
  keys?: LedgerKeys;
  /** When a group is committed: default in the next turn of the event loop. */
  schedule?: (commit: () => void) => void;
  /** Default `COMMIT`; tests make it fail. */
  commit?: (database: DatabaseSync) => void;
  /** Hears of listeners that throw. Default: silent. */
  logger?: Logger;
}

/**
 * Opens the ledger: makes or migrates its tables, checks the log against its last checkpoint, and gives the outcome
 * `unknown` to intents of processes that are gone.
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {LedgerOpenError} When the file cannot be opened as a database.
 * @throws {LedgerVersionError} When a newer version of the package wrote it.
 * @throws {LedgerKeyError} When the key file cannot be used.
 * @throws {LedgerInconsistentError} When the log is not the one that its last checkpoint was signed for.
 * @example
 * await using ledger = openLedger({ file: 'out/state/governance.db' });
 * const { seq } = await ledger.write((transaction) => transaction.append(entry));
 */
export function openLedger(input: LedgerInput, ports: LedgerPorts = {}): AuditedLedger {
  const options = parseOrThrow(LedgerOptions, input, 'options of openLedger');
  const { clock = systemClock, migrations = [] } = ports;
  const file = options.file === IN_MEMORY ? undefined : options.file;
  using opened = new DisposableStack(); // let go when what follows fails
  const database = opened.adopt(openDatabase(options), (open) => open.close());
  migrate(database, [...LOG_MIGRATIONS, ...migrations], clock.now());
  const { keys, last } = atOneMoment(database, () => {
    const note = latestNote(database);
    const found = ports.keys ?? keysFor(options, note === undefined);
    const verifier = createNoteVerifier(found.signer.verifierKey);
    return { keys: found, last: checkLog(database, note, verifier) };
  });
  const owner = opened.adopt(createOwner(file), (self) => self.release());
  const ledger = new SqliteLedger({
    database,
    file,
    options,
    ports,
    clock,
    keys,
    owner,
    last,
  });
  opened.move();
  return ledger;
}

const IN_MEMORY = ':memory:';

const PAGE_BYTES = 4_096;
/** 16 MB of changes are moved into the database together: each time waits for the disk, and pages that changed often go once. */
const WAL_PAGES = 4_096;
/** The ends of all tables and indexes of a large log, and more. */
const CACHE_KB = 16_384;

function openDatabase({ file, busyTimeoutMs, survives }: LedgerOptions): DatabaseSync {
  try {
    // Made here, for SQLite lets everybody read what it makes; its other files take over the rights of this one.
    if (file !== IN_MEMORY) closeSync(openSync(file, 'a', 0o600));
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    const synchronous = survives === 'power_loss' ? 'FULL' : 'NORMAL';
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON;
       PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA journal_size_limit = ${WAL_PAGES * PAGE_BYTES}; PRAGMA cache_size = -${CACHE_KB};`,
    );
    return database;
  } catch (error) {
    throw new LedgerOpenError(
      `The ledger at ${file} cannot be opened: ${describeFailure(error).message}`,
      { cause: error },
    );
  }
}

function keysFor({ file, keyFile, origin }: LedgerOptions, isNew: boolean): LedgerKeys {
  if (keyFile === undefined && file === IN_MEMORY) return makeLedgerKeys(origin);
  return openLedgerKeys(keyFile ?? `${file}.key`, { origin, mayMake: isNew });
}

/** How long SQLite itself waits for others once the ledger is open; longer waits leave the event loop alone. */
const LONGEST_BLOCK_MS = 5;

interface Parts {
  database: DatabaseSync;
  /** Undefined: in memory. */
  file: string | undefined;
  options: LedgerOptions;
  ports: LedgerPorts;
  clock: Clock;
  keys: LedgerKeys;
  owner: Owner;
  last: Checkpoint | undefined;
}

class SqliteLedger implements AuditedLedger {
  readonly events: AuditedLedger['events'];
  readonly recovered: readonly number[];
  readonly #parts: Parts;
  readonly #log: LogWriter;
  readonly #group: GroupCommit;
  readonly #checkpointer: Checkpointer;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { database, clock, options, ports, keys, owner, last } = parts;
    const { publish, schedule, commit, logger = silentLogger } = ports;
    const { events, emit } = createGuardedEmitter<LedgerEvents>((error, event) =>
      logger.error({ err: error, event }, 'A listener of the ledger threw'),
    );
    this.events = events;
    this.#log = new LogWriter({
      database,
      signer: keys.signer,
      owner: owner.id,
      registerAgain: (at) => registerOwner(database, owner, at),
      checkpointEntries: options.checkpointEntries,
      onCheckpoint: (checkpoint) => this.#checkpointer.publish(checkpoint),
      onCommit: () => this.#checkpointer.noteCommit(),
    });
    this.#checkpointer = new Checkpointer({
      clock,
      checkpointMs: options.checkpointMs,
      isDue: () => this.#log.unsigned > 0,
      sign: () => this.checkpoint(),
      publish,
      onPublished: (checkpoint) => emit('checkpointed', { at: clock.now(), checkpoint }),
      onPublishFailed: (checkpoint, error) =>
        emit('publishFailed', { at: clock.now(), checkpoint, error }),
      onSignFailed: (error) => emit('checkpointFailed', { at: clock.now(), error }),
    });
    const { busyTimeoutMs } = options;
    this.#group = new GroupCommit(database, {
      clock,
      log: this.#log,
      busyTimeoutMs,
      schedule,
      commit,
    });
    // The process may have ended after it signed the last one, and before it brought it out.
    if (last && publish) this.#checkpointer.publish(last);
    this.recovered = this.#moveIn();
    database.exec(`PRAGMA busy_timeout = ${Math.min(busyTimeoutMs, LONGEST_BLOCK_MS)}`);
  }

  get verifierKey(): string {
    return this.#parts.keys.signer.verifierKey;
  }

  write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    return this.#group.write(work);
  }

  read<T>(work: (database: DatabaseSync) => T): T {
    const { database } = this.#parts;
    if (this.#closing) throw new LedgerClosedError('The ledger is closed.');
    if (database.isTransaction) {
      throw new LedgerMisuseError(
        'The ledger is being written or read: use the database that the work was given.',
      );
    }
    database.exec('BEGIN; PRAGMA query_only = ON');
    try {
      return work(database);
    } finally {
      database.exec('PRAGMA query_only = OFF; ROLLBACK');
    }
  }

  digestOf(value: unknown): string {
    return digestValue(this.#parts.keys, value);
  }

  rationaleOf(text: string, options: RationaleOptions): string | null {
    return rationaleToKeep(this.#parts.keys, text, options);
  }

  secretFor(purpose: string): Uint8Array {
    return this.#parts.keys.secretFor(purpose);
  }

  async checkpoint(): Promise<Checkpoint | null> {
    const { database } = this.#parts;
    await this.write(() => this.#log.demandCheckpoint());
    const note = latestNote(database);
    return note === undefined ? null : openCheckpoint(note, createNoteVerifier(this.verifierKey));
  }

  close(): Promise<void> {
    this.#closing ??= this.#moveOut();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes itself known, and ends what those who are gone have left open. */
  #moveIn(): number[] {
    const { database, file, owner } = this.#parts;
    const { gone, intents } = this.#group.runNow(({ at }) => {
      registerOwner(database, owner, at);
      const found = file === undefined ? [] : findGoneOwners(database, file, owner);
      const ended = endOpenIntents(database, this.#log, found, at);
      forgetOwners(database, found);
      return { gone: found, intents: ended };
    });
    if (file !== undefined) removeLocks(file, gone);
    return intents;
  }

  async #moveOut(): Promise<void> {
    const { database, owner } = this.#parts;
    let isForgotten = false;
    try {
      this.#checkpointer.stop();
      const last = this.#group.write(() => {
        this.#log.demandCheckpoint();
        // Intents that wait for their outcome are left to whoever opens the ledger next.
        isForgotten = !hasOpenIntents(database, owner);
        if (isForgotten) forgetOwners(database, [owner.id]);
      });
      await Promise.allSettled([last, this.#group.close()]);
      await last;
      await this.#checkpointer.settled();
    } finally {
      database.close();
      owner.release({ keepsLock: !isForgotten });
    }
  }
}
