import { readFile, realpath } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { findByFolder } from '../../adapters/postgres/postgres-server.ts';
import { identify } from '../../adapters/process/proc.ts';
import { defineFault } from '../define-fault.ts';
import { FaultUnavailableError } from '../errors.ts';
import { AVAILABLE, type Capability, type FaultHost } from '../host.ts';

const Server = z.strictObject({
  /** Data folder of a server on this machine. */
  dataFolder: z.string().min(1),
  /** Where it listens on 127.0.0.1. */
  port: z.int().min(1).max(65_535),
});
const Folder = z.strictObject({ dataFolder: z.string() });

/**
 * A Postgres server is killed: its postmaster by SIGKILL, so that it saves nothing and leaves its lock file.
 * @example
 * await using fault = await kit.inject(pgKill, { dataFolder: '/data/pg', port: 5432 });
 */
export const pgKill = defineFault({
  kind: 'pgKill',
  description: 'A Postgres server is killed.',
  options: Server,
  note: Folder,
  caps: { seconds: 120, bytes: 0 },
  lasting: 'a server that was killed stays dead until it is started',
  capability: needsProc,
  open: async ({ dataFolder: given, port }) => {
    const dataFolder = await realpath(given);
    return {
      note: { dataFolder },
      // Its port is closed a moment before its process is gone.
      isPresent: async () =>
        (await askForTls(port)) === 'refused' && (await findPostmaster(dataFolder)) === undefined,
      apply: async () => {
        process.kill(await postmasterOf(dataFolder), 'SIGKILL');
      },
      revert: async () => undefined,
    };
  },
  recover: async () => undefined,
});

/**
 * A Postgres server takes connections and says nothing: all of its processes are stopped, and the system goes on to accept.
 * @example
 * await using fault = await kit.inject(pgBlackhole, { dataFolder: '/data/pg', port: 5432 });
 */
export const pgBlackhole = defineFault({
  kind: 'pgBlackhole',
  description: 'A Postgres server takes connections and says nothing.',
  options: Server,
  note: Folder,
  caps: { seconds: 60, bytes: 0 },
  capability: needsProc,
  open: async ({ dataFolder: given, port }) => {
    const dataFolder = await realpath(given);
    return {
      note: { dataFolder },
      isPresent: async () => (await askForTls(port)) === 'silent',
      apply: async () => {
        process.kill(await postmasterOf(dataFolder), 'SIGSTOP'); // first: it makes the others
        await signalAll(dataFolder, 'SIGSTOP');
      },
      revert: () => signalAll(dataFolder, 'SIGCONT'),
    };
  },
  recover: ({ dataFolder }) => signalAll(dataFolder, 'SIGCONT'),
});

async function needsProc(host: FaultHost): Promise<Capability> {
  if (await host.hasProc()) return AVAILABLE;
  return { is: 'unavailable', reason: 'the processes of a server are found in /proc only' };
}

async function postmasterOf(dataFolder: string): Promise<number> {
  const pid = await findPostmaster(dataFolder);
  if (pid !== undefined) return pid;
  throw new FaultUnavailableError('pgKill', `no Postgres server runs in ${dataFolder}`);
}

async function findPostmaster(dataFolder: string): Promise<number | undefined> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  const processes = await findByFolder(dataFolder);
  return processes.includes(pid) ? pid : undefined;
}

async function signalAll(dataFolder: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await findByFolder(dataFolder)) {
    if (await identify(pid)) process.kill(pid, signal);
  }
}

/** SSLRequest: https://postgresql.org/docs/18/protocol-message-formats.html. Any server answers it, by one byte. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/** Far more than a busy machine needs for one byte. */
const SILENT_MS = 1_000;

function askForTls(port: number): Promise<'answers' | 'silent' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (how: 'answers' | 'silent' | 'refused') => {
      socket.destroy();
      resolve(how);
    };
    socket.setTimeout(SILENT_MS, () => end('silent'));
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', () => end('answers'));
    socket.once('error', () => end('refused'));
    socket.once('close', () => end('refused')); // it is on its way down
  });
}
