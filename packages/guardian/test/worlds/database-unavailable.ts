import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgresDatabase, type PostgresDatabaseInput } from '@buddy/guardian';
import { openFaultKit, pgKill } from '@buddy/guardian/faults';
import pg from 'pg';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { type PostgresServerWorld, startPostgres } from './postgres-world.ts';

const { signal } = new AbortController();

/** On a server that others may use after it, and that is killed. */
export async function openKilledWorld(primary: PostgresServerWorld): Promise<PlaybookWorld> {
  const database = openDatabase(primary);
  await database.pool().query('SELECT 1');
  const folder = await mkdtemp(join(tmpdir(), 'guardian-faults-'));
  const kit = openFaultKit({ folder });
  return {
    resources: [{ id: 'shop', adapter: database }],
    subject: 'shop',
    fault: kit.rehearsed(pgKill, () => ({ dataFolder: primary.dataFolder, port: primary.port })),
    symptom: async () => ({ signal: 'database.unavailable' }),
    state: async () => ({
      isRunning: (await primary.server.state(signal)).is === 'running',
      target: database.target(),
    }),
    close: async () => {
      await kit.close();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** As above, with a server of its own. */
export async function openUnavailableWorld(): Promise<PlaybookWorld> {
  const primary = await startPostgres();
  const world = await openKilledWorld(primary);
  return {
    ...world,
    close: async () => {
      await world.close();
      await primary.close();
    },
  };
}

export interface OtherServers {
  servers?: Record<string, PostgresServerWorld>;
  isOurs?: boolean;
}

/** The application's database on `primary`. */
export function openDatabase(
  primary: PostgresServerWorld,
  options: Partial<PostgresDatabaseInput> = {},
  { servers = { primary }, isOurs = true }: OtherServers = {},
) {
  const settingsOf = (target: string) => ({
    ...servers[target]?.settings,
    connectionTimeoutMillis: 2_000,
  });
  return createPostgresDatabase(
    { targets: Object.keys(servers), applicationName: 'shop', farewellMs: 50, ...options },
    {
      openPool: ({ target, max, applicationName }) =>
        new pg.Pool({ ...settingsOf(target), max, application_name: applicationName }),
      openClient: (target) => new pg.Client(settingsOf(target)),
      ...(isOurs && { server: primary.server }),
    },
  );
}
