import type { Clock, Logger } from '@buddy/core';
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { Answers } from './answers.ts';
import { Books } from './books.ts';
import { Enqueuing } from './enqueuing.ts';
import { EngineConnectionError, EngineStorageVersionError } from './errors.ts';
import { FactPump } from './fact-pump.ts';
import { InFlight } from './in-flight.ts';
import { LargeValues } from './large-values.ts';
import type { DbosEngineOptions } from './options.ts';
import { Presence } from './presence.ts';
import { IDLE_TRANSACTION_MS, loggerFor } from './runtime.ts';
import { openTables } from './schema.ts';

/** What there is while an engine is connected. */
export interface Connection {
  client: DBOSClient;
  books: Books;
  large: LargeValues;
  presence: Presence;
  facts: FactPump;
  answers: Answers;
  enqueuing: Enqueuing;
  inFlight: InFlight;
  close(): Promise<void>;
}

export interface ConnectionPorts {
  clock: Clock;
  logger: Logger;
  /** Ends the trying when Postgres is away. */
  signal: AbortSignal;
}

/**
 * Connects, and makes the tables that are not there.
 * @param onBack The session was cut off and is back.
 * @throws {EngineConnectionError} When the database cannot be reached or used.
 * @throws {EngineStorageVersionError} When a newer version made the tables.
 */
export async function connect(
  { databaseUrl, name, connections }: DbosEngineOptions,
  processId: string,
  ports: ConnectionPorts,
  onBack: () => void,
): Promise<Connection> {
  const { clock, logger } = ports;
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: connections,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
  });
  // Each by itself: the pool listens only to those that nobody uses, and one that nobody listens to ends the process.
  pool.on('connect', (session) => {
    session.on('error', (error) => logger.warn({ err: error }, 'A connection was cut off'));
  });
  pool.on('error', () => undefined); // said by the session
  const large = new LargeValues(pool, ports);
  const books = new Books(name, { pool, large }, ports);
  const onBroken = (error: unknown) => {
    if (ports.signal.aborted) return; // it was closed in the middle
    logger.error({ err: error }, 'A listener failed, or what others keep could not be read');
  };
  const facts = new FactPump(books, onBroken);
  const answers = new Answers(books, onBroken);
  const inFlight = new InFlight();
  const interrupt = async (ids: readonly string[]) => {
    const here = ids.filter((id) => inFlight.has(id));
    if (here.length === 0) return;
    for (const [id, reason] of await books.cancelReasons(here)) inFlight.cancel(id, reason);
  };
  const presence = new Presence({ databaseUrl, processId }, ports, {
    onCancelled: (id) => void interrupt([id]).catch(onBroken),
    onEntered: () => facts.pump(),
    onAnswered: (id) => answers.hear(id),
    onBack: () => {
      facts.pump();
      answers.lookAgain();
      onBack();
      void interrupt(inFlight.workflowIds()).catch(onBroken);
    },
  });
  try {
    await presence.open((session) => openTables(session, clock, () => DBOS.migrate(databaseUrl)));
    const client = await DBOSClient.create({
      systemDatabaseUrl: databaseUrl,
      systemDatabasePoolSize: connections,
      systemDatabaseIdleTransactionTimeoutMs: IDLE_TRANSACTION_MS,
      applicationName: name,
      logger: loggerFor(logger),
    });
    const enqueuing = new Enqueuing({ pool, client, books, large }, ports);
    const close = async () => {
      await presence.close();
      await client.destroy();
      await pool.end();
    };
    return { client, books, large, presence, facts, answers, enqueuing, inFlight, close };
  } catch (error) {
    await presence.close();
    await pool.end();
    if (error instanceof EngineStorageVersionError) throw error;
    throw new EngineConnectionError(databaseUrl, error);
  }
}
