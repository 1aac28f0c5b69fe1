import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, type NewId, parseOrThrow, randomId, systemClock } from '@buddy/core';
import { z } from 'zod';
import { QueuePausedError } from '../../errors.ts';
import type { QueueAdapter, QueueHead } from '../../resource/adapters/work.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { createDrainMeter } from './drain-meter.ts';

export const SqliteQueueOptions = z.strictObject({
  file: z.string().min(1),
  /** The oldest job should not be older than this, in ms. */
  targetAgeMs: z.number().positive().default(60_000),
  /** A job that failed so often will again. */
  poisonAfter: z.int().positive().default(3),
  /** No more workers than this, whatever the backlog. */
  maxWorkers: z.int().positive().default(4),
  /** Who claims a job has it for so long, in ms; then another may. */
  leaseMs: z.number().positive().default(30_000),
  /** Whether a backlog becomes shorter is judged by the last so many ms. */
  drainWindowMs: z.number().positive().default(30_000),
});
export type SqliteQueueInput = z.input<typeof SqliteQueueOptions>;

/** Those who work the queue off. */
export interface QueueWorkers {
  /** How many should be there. */
  count(): number;
  set(count: number, signal: AbortSignal): Promise<void>;
}

export interface SqliteQueuePorts {
  workers?: QueueWorkers;
  clock?: Clock;
  newId?: NewId;
}

export interface ClaimedJob {
  id: string;
  payload: string;
  /** How often it failed. */
  failures: number;
}

export interface DeadLetter {
  id: string;
  payload: string;
  /** SHA-256 of the payload: the same job that dies twice is seen. */
  payloadDigest: string;
  failures: number;
  lastError: string;
  deadAt: number;
}

export interface SqliteQueue extends Disposable {
  /** @throws {QueuePausedError} While it takes in nothing. */
  enqueue(payload: string): string;
  /** The oldest job that nobody has; undefined when there is none. */
  claim(): ClaimedJob | undefined;
  complete(id: string): void;
  /** It is tried again, in its place. */
  fail(id: string, error: string): void;
  deadLetters(): readonly DeadLetter[];
  readonly adapter: QueueAdapter;
  close(): void;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, payload TEXT NOT NULL,
    enqueued_at REAL NOT NULL, failures INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '',
    leased_until REAL NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS dead_letters (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payload TEXT NOT NULL, payload_sha256 TEXT NOT NULL,
    enqueued_at REAL NOT NULL, failures INTEGER NOT NULL, last_error TEXT NOT NULL, dead_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS intake (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), is_paused INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO intake VALUES (1, 0);
`;

const Head = z.object({
  seq: z.number(),
  id: z.string(),
  enqueued_at: z.number(),
  failures: z.number(),
});
const Job = z.object({ id: z.string(), payload: z.string(), failures: z.number() });
const Dead = z.object({
  id: z.string(),
  payload: z.string(),
  payload_sha256: z.string(),
  failures: z.number(),
  last_error: z.string(),
  dead_at: z.number(),
});

/**
 * A queue in an SQLite file, first in, first out, that any number of processes may put jobs in and take them from. A job is
 * leased to who claims it; jobs that always fail can be set aside, whole, and put back where they were.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const queue = openSqliteQueue({ file: 'jobs.sqlite', targetAgeMs: 10_000 });
 * queue.enqueue(JSON.stringify({ mail: 'ada@example.com' }));
 * const job = queue.claim();
 */
export function openSqliteQueue(
  input: SqliteQueueInput,
  ports: SqliteQueuePorts = {},
): SqliteQueue {
  const options = parseOrThrow(SqliteQueueOptions, input, 'an SQLite queue');
  const { targetAgeMs, poisonAfter, maxWorkers, leaseMs, drainWindowMs } = options;
  const { workers, clock = systemClock, newId = randomId('job') } = ports;
  const database = new DatabaseSync(options.file);
  database.exec(SCHEMA);
  const drain = createDrainMeter(drainWindowMs, clock);

  const isPaused = () =>
    database.prepare('SELECT is_paused FROM intake').get()?.['is_paused'] === 1;
  const pause = (isSo: 0 | 1) => database.prepare('UPDATE intake SET is_paused = ?').run(isSo);
  const readHead = () => {
    const row = database
      .prepare('SELECT seq, id, enqueued_at, failures FROM jobs ORDER BY seq LIMIT 1')
      .get();
    return row && Head.parse(row);
  };
  const readPoisoned = () =>
    z
      .array(Head.pick({ id: true }))
      .parse(
        database.prepare('SELECT id FROM jobs WHERE failures >= ? ORDER BY seq').all(poisonAfter),
      )
      .map(({ id }) => id);
  const readDrain = (): Reading => {
    const head = readHead();
    const waiting = Number(database.prepare('SELECT count(*) AS n FROM jobs').get()?.['n']);
    const ageMs = head ? clock.now() - head.enqueued_at : 0;
    const isDraining = drain.note({ head: head?.seq, waiting, ageMs });
    if (ageMs <= targetAgeMs) return HEALTHY;
    const note = `${waiting} jobs wait, the oldest for ${Math.round(ageMs)} ms`;
    if (isDraining) return { status: 'HEALTHY', note: `${note}; they become fewer` };
    return { status: 'FAILED', signal: 'queue.backlog', certainty: 'ambiguous', note };
  };
  const transact = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };

  const adapter: QueueAdapter = {
    kind: 'queue',
    head: async (): Promise<QueueHead | undefined> => {
      const head = readHead();
      if (!head) return undefined;
      return { job: head.id, ageMs: clock.now() - head.enqueued_at, failures: head.failures };
    },
    poisoned: async () => readPoisoned(),
    drains: async () => readDrain(),
    probe: async () => {
      const drained = readDrain();
      const poisoned = readPoisoned();
      if (poisoned.length === 0) return drained;
      const note = `failed ${poisonAfter} times or more: ${poisoned.join(', ')}`;
      return { status: 'FAILED', signal: 'queue.poison', certainty: 'decisive', note };
    },
    isIntakePaused: async () => isPaused(),
    workers: () => workers?.count() ?? 0,
    maxWorkers: () => (workers ? maxWorkers : 0),
    setWorkers: async (count, signal) => workers?.set(Math.min(count, maxWorkers), signal),
    pauseIntake: async () => void pause(1),
    resumeIntake: async () => void pause(0),
    deadLetter: async (job) => {
      const payload = database.prepare('SELECT payload FROM jobs WHERE id = ?').get(job)?.[
        'payload'
      ];
      if (typeof payload !== 'string') return; // done meanwhile, or set aside already
      transact(() => {
        database
          .prepare(
            `INSERT INTO dead_letters SELECT seq, id, payload, ?, enqueued_at, failures, last_error, ?
             FROM jobs WHERE id = ?`,
          )
          .run(hash('sha256', payload), clock.now(), job);
        database.prepare('DELETE FROM jobs WHERE id = ?').run(job);
      });
    },
    reinsert: async (job) =>
      transact(() => {
        database
          .prepare(
            `INSERT INTO jobs (seq, id, payload, enqueued_at, failures, last_error)
             SELECT seq, id, payload, enqueued_at, failures, last_error FROM dead_letters WHERE id = ?`,
          )
          .run(job);
        database.prepare('DELETE FROM dead_letters WHERE id = ?').run(job);
      }),
  };
  const close = () => {
    if (database.isOpen) database.close();
  };
  return {
    adapter,
    enqueue: (payload) => {
      if (isPaused()) throw new QueuePausedError(options.file);
      const id = newId();
      database
        .prepare('INSERT INTO jobs (id, payload, enqueued_at) VALUES (?, ?, ?)')
        .run(id, payload, clock.now());
      return id;
    },
    claim: () => {
      const now = clock.now();
      // One statement: two who claim at the same moment never get the same job.
      const row = database
        .prepare(
          `UPDATE jobs SET leased_until = ? WHERE seq = (
             SELECT seq FROM jobs WHERE leased_until <= ? ORDER BY seq LIMIT 1
           ) RETURNING id, payload, failures`,
        )
        .get(now + leaseMs, now);
      return row && Job.parse(row);
    },
    complete: (id) => void database.prepare('DELETE FROM jobs WHERE id = ?').run(id),
    fail: (id, error) =>
      void database
        .prepare(
          'UPDATE jobs SET failures = failures + 1, last_error = ?, leased_until = 0 WHERE id = ?',
        )
        .run(error.slice(0, 1_000), id),
    deadLetters: () =>
      z
        .array(Dead)
        .parse(database.prepare('SELECT * FROM dead_letters ORDER BY seq').all())
        .map(({ payload_sha256, last_error, dead_at, ...rest }) => ({
          ...rest,
          payloadDigest: payload_sha256,
          lastError: last_error,
          deadAt: dead_at,
        })),
    close,
    [Symbol.dispose]: close,
  };
}
