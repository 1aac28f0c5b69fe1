import { createDbosEngine } from '@buddy/agents/dbos';
import { startPostgres, type TemporaryPostgres } from '@buddy/agents/testing';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';

/** A Postgres for the tests of one file, from before the first until after the last. */
export interface SharedPostgres {
  /** As `TemporaryPostgres` has it. */
  readonly url: string;
  /** Makes a database with the engine's tables, so that they need not be made for each test. @returns Its URL. */
  createDatabase(name: string): Promise<string>;
  restart(): Promise<void>;
}

/** To be called where the tests of a file are defined. */
export function sharePostgres(): SharedPostgres {
  let postgres: TemporaryPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    const databaseUrl = await postgres.createDatabase('model');
    const engine = createDbosEngine({ databaseUrl, takes: [] });
    await engine.open();
    await engine.close();
  });
  afterAll(() => postgres.stop());
  return {
    get url() {
      return postgres.url;
    },
    createDatabase: (name) => postgres.createDatabase(name, 'model'),
    restart: () => postgres.restart(),
  };
}

/** Asks a database one question, over a line of its own. */
export async function ask<Row extends pg.QueryResultRow>(
  databaseUrl: string,
  sql: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<Row>(sql);
  await client.end();
  return rows;
}
