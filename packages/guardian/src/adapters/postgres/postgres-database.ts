import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianConfigError, GuardianMisuseError, StepTimeoutError } from '../../errors.ts';
import { failed } from '../../probes/layers/layer.ts';
import type { LockHolder, PostgresAdapter } from '../../resource/adapters/database.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { ServiceAdapter } from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { type PostgresClient, type PostgresPool, untilAborted, withClient } from './client.ts';
import { readPostgresError } from './read-error.ts';
import { countWaiting, endSession, findLockHolders } from './sessions.ts';

export const PostgresDatabaseOptions = z.strictObject({
  /** Names of the servers that have the data; the first is the one in use. */
  targets: z.array(z.string().min(1)).min(1),
  /** Those of them that take no writes: replicas. */
  readOnly: z.array(z.string().min(1)).default([]),
  /** `application_name` of the application's connections. Transactions of no other are ever ended. */
  applicationName: z.string().min(1),
  /** Connections in the application's pool. */
  poolSize: z.int().positive().default(10),
  /** A transaction that does nothing for so long, in ms, is one that was forgotten. */
  idleInTransactionMs: z.number().nonnegative().default(5_000),
  /** A pool that has no connection free for so long, in ms, is exhausted. */
  poolWaitMs: z.number().positive().default(1_000),
  /** A write has to be done in so long, in ms, when it is to prove that the database is well. */
  canaryMs: z.number().positive().default(1_000),
  /** A server that says nothing for so long, in ms, is silent. */
  answerMs: z.number().positive().default(1_500),
  /** Connections that are dropped have so long to say farewell, in ms; then nobody waits for them. */
  farewellMs: z.number().nonnegative().default(500),
});
export type PostgresDatabaseInput = z.input<typeof PostgresDatabaseOptions>;
type PostgresDatabaseOptions = z.output<typeof PostgresDatabaseOptions>;

export interface PostgresDatabasePorts<Pool extends PostgresPool> {
  /** Makes the application's pool. Say the application's name in it, and give it a `connectionTimeoutMillis`. */
  openPool: (settings: { target: string; max: number; applicationName: string }) => Pool;
  /** Makes a connection for a look of ours. Give it a `connectionTimeoutMillis`. */
  openClient: (target: string) => PostgresClient;
  /** The server of the first target, where it is ours to start: `createPostgresServer`. */
  server?: Pick<ServiceAdapter, 'state' | 'start' | 'stop'>;
  clock?: Clock;
}

export interface PostgresDatabase<Pool extends PostgresPool> extends PostgresAdapter {
  /** The pool to use now. Ask for it anew each time: a healing puts another in its place. */
  pool(): Pool;
  /** To be told errors that the application meets: it is the first to notice. */
  noteError(error: unknown): void;
  close(): Promise<void>;
}

/**
 * A Postgres database on one server or more. The application takes its pool from here, so that a healing can make it new,
 * smaller, or lead it elsewhere.
 * @throws {InvalidInputError} When the options are not usable.
 * @throws {GuardianConfigError} When a read-only target is none of the targets.
 * @example
 * const shop = createPostgresDatabase(
 *   { targets: ['primary', 'replica'], readOnly: ['replica'], applicationName: 'shop' },
 *   {
 *     openPool: ({ target, max }) => new pg.Pool({ connectionString: urls[target], max, application_name: 'shop' }),
 *     openClient: (target) => new pg.Client({ connectionString: urls[target], connectionTimeoutMillis: 2_000 }),
 *   },
 * );
 * await shop.pool().query('SELECT 1');
 */
export function createPostgresDatabase<Pool extends PostgresPool>(
  input: PostgresDatabaseInput,
  ports: PostgresDatabasePorts<Pool>,
): PostgresDatabase<Pool> {
  const options = parseOrThrow(PostgresDatabaseOptions, input, 'a Postgres database');
  const stranger = options.readOnly.find((target) => !options.targets.includes(target));
  if (stranger !== undefined) {
    throw new GuardianConfigError(`The read-only target "${stranger}" is none of the targets.`);
  }
  return new ServerDatabase(options, ports);
}

class ServerDatabase<Pool extends PostgresPool> implements PostgresDatabase<Pool> {
  readonly kind = 'postgres';
  readonly #options: PostgresDatabaseOptions;
  readonly #ports: PostgresDatabasePorts<Pool>;
  readonly #clock: Clock;
  #target: string;
  #max: number;
  #pool: Pool | undefined;
  #raise: ((sign: Sign) => void) | undefined;

  constructor(options: PostgresDatabaseOptions, ports: PostgresDatabasePorts<Pool>) {
    this.#options = options;
    this.#ports = ports;
    this.#clock = ports.clock ?? systemClock;
    this.#target = this.#primary;
    this.#max = options.poolSize;
  }

  pool(): Pool {
    if (this.#pool) return this.#pool;
    const { applicationName } = this.#options;
    const settings = { target: this.#target, max: this.#max, applicationName };
    const pool = this.#ports.openPool(settings);
    // A pool whose connections are lost while nobody uses them tells so, and ends the process when nobody listens.
    pool.on('error', (error) => {
      if (pool === this.#pool) this.noteError(error);
    });
    this.#pool = pool;
    return pool;
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const direct = await this.#ask(this.#target, signal, (client) => this.#look(client));
    if (direct.status !== 'HEALTHY') return direct;
    const pooled = await this.#askPool(this.#options.poolWaitMs, signal);
    return pooled.status === 'HEALTHY' ? direct : pooled;
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.#raise = raise;
    return () => {
      this.#raise = undefined;
    };
  }

  noteError(error: unknown): void {
    const reading = readPostgresError(error);
    if (reading.status === 'FAILED') this.#raise?.(reading);
  }

  probeTarget(target: string, signal: AbortSignal): Promise<Reading> {
    return this.#ask(this.#known(target), signal, (client) => this.#readMode(target, client));
  }

  async writeCanary(signal: AbortSignal): Promise<Reading> {
    const { canaryMs, readOnly } = this.#options;
    const target = this.#target;
    const direct = await this.#ask(target, signal, async (client) => {
      const mode = await this.#readMode(target, client);
      if (mode.status !== 'HEALTHY' || readOnly.includes(target)) return mode;
      const startedAt = this.#clock.monotonic();
      // A record of the journal in a transaction, flushed as every commit is; no table has it.
      await client.query('BEGIN');
      await client.query("SELECT pg_logical_emit_message(true, 'buddy.canary', 'canary')");
      await client.query('COMMIT');
      const tookMs = this.#clock.monotonic() - startedAt;
      if (tookMs <= canaryMs) return HEALTHY;
      const note = `a write took ${Math.round(tookMs)} ms, ${canaryMs} at most`;
      return failed('database.locked', 'ambiguous', note);
    });
    return direct.status === 'HEALTHY' ? this.#askPool(canaryMs, signal) : direct;
  }

  target(): string {
    return this.#target;
  }

  targets(): readonly string[] {
    return this.#options.targets;
  }

  async server(signal: AbortSignal): Promise<'running' | 'down' | 'not_ours'> {
    const { server } = this.#ports;
    if (!server || this.#target !== this.#primary) return 'not_ours';
    return (await server.state(signal)).is === 'running' ? 'running' : 'down';
  }

  async lockHolders(signal: AbortSignal): Promise<readonly LockHolder[]> {
    return this.#withClient(this.#target, signal, (client) =>
      findLockHolders(client, this.#options),
    );
  }

  /** Its session with it: a transaction in which nothing runs cannot be ended otherwise. */
  async endTransaction(id: string, signal: AbortSignal): Promise<void> {
    const { applicationName } = this.#options;
    await this.#withClient(this.#target, signal, (client) =>
      endSession(client, id, { applicationName, clock: this.#clock, signal }),
    );
  }

  writerLimit(): number {
    return this.#max;
  }

  async limitWriters(most: number): Promise<void> {
    this.#max = Math.max(1, most);
    await this.dropPool();
  }

  async dropPool(): Promise<void> {
    const old = this.#pool;
    this.#pool = undefined;
    if (!old) return;
    // A connection into nowhere never says farewell.
    await Promise.race([
      old.end().catch(() => undefined), // it was broken, which is why it is dropped
      this.#clock.sleep(this.#options.farewellMs),
    ]);
  }

  async useTarget(target: string): Promise<void> {
    this.#target = this.#known(target);
    await this.dropPool();
  }

  async startServer(signal: AbortSignal): Promise<void> {
    await this.#ownServer().start(signal);
  }

  async stopServer(signal: AbortSignal): Promise<void> {
    await this.#ownServer().stop(signal);
  }

  close(): Promise<void> {
    return this.dropPool();
  }

  get #primary(): string {
    return this.#options.targets[0] ?? '';
  }

  #known(target: string): string {
    if (this.#options.targets.includes(target)) return target;
    throw new GuardianMisuseError(
      `There is no target "${target}"; there are ${this.#options.targets.join(', ')}.`,
    );
  }

  #ownServer(): Pick<ServiceAdapter, 'start' | 'stop'> {
    const { server } = this.#ports;
    if (server) return server;
    throw new GuardianMisuseError(
      'The server is not ours to start or stop; hand `server` to createPostgresDatabase when it is.',
    );
  }

  async #look(client: PostgresClient): Promise<Reading> {
    const mode = await this.#readMode(this.#target, client);
    if (mode.status !== 'HEALTHY') return mode;
    const waiting = await countWaiting(client, this.#options.idleInTransactionMs);
    if (waiting === 0) return mode;
    return failed('database.locked', 'ambiguous', `${waiting} sessions wait for a lock`);
  }

  async #readMode(target: string, client: PostgresClient): Promise<Reading> {
    const { rows } = await client.query(
      "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only",
    );
    if (rows[0]?.['read_only'] !== true) return HEALTHY;
    if (this.#options.readOnly.includes(target)) {
      return { status: 'HEALTHY', note: `${target} is for reading only` };
    }
    return { status: 'DEGRADED', signal: 'database.read_only', note: `${target} takes no writes` };
  }

  /** Whether the application's own pool gives a connection, and that one an answer. */
  async #askPool(withinMs: number, signal: AbortSignal): Promise<Reading> {
    const timer = new AbortController();
    const late = this.#clock
      .sleep(withinMs, timer.signal)
      .then((): Reading =>
        failed('database.pool_exhausted', 'ambiguous', `the pool gave nothing in ${withinMs} ms`),
      );
    late.catch(() => undefined); // it was not needed
    const asked = this.pool()
      .query('SELECT 1')
      .then((): Reading => HEALTHY, readPostgresError);
    try {
      return await untilAborted(Promise.race([asked, late]), signal);
    } finally {
      timer.abort('over');
    }
  }

  async #ask(
    target: string,
    signal: AbortSignal,
    look: (client: PostgresClient) => Promise<Reading>,
  ): Promise<Reading> {
    try {
      return await this.#withClient(target, signal, look);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StepTimeoutError) {
        return failed('database.unavailable', 'ambiguous', error.message);
      }
      return readPostgresError(error);
    }
  }

  #withClient<T>(
    target: string,
    signal: AbortSignal,
    work: (client: PostgresClient) => Promise<T>,
  ): Promise<T> {
    const open = () => this.#ports.openClient(target);
    const { answerMs } = this.#options;
    return withClient({ target, open, answerMs, clock: this.#clock, signal }, work);
  }
}
