import { type ChildProcess, spawn } from 'node:child_process';
import { open, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, oneAtATime, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { errorCode, failed } from '../../probes/layers/layer.ts';
import type {
  ProcessIdentity,
  ServiceAdapter,
  ServiceState,
} from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { hasProc, identify } from '../process/proc.ts';
import { sendSignal } from '../process/send-signal.ts';

export const PostgresServerOptions = z.strictObject({
  /** The program `postgres`. */
  command: z.string().min(1),
  /** Its data folder, made by `initdb`. */
  dataFolder: z.string().min(1),
  /** What it is started with besides `-D`: `['-p', '5433']`. */
  args: z.array(z.string()).default([]),
  /** All of its environment; nothing is inherited but PATH. */
  env: z.record(z.string(), z.string()).default({}),
  /** Whom it runs as, when that is not us: it refuses to run as root. */
  uid: z.int().nonnegative().exactOptional(),
  gid: z.int().nonnegative().exactOptional(),
  /** File for what it says. Default: `dataFolder` and `.log`. */
  logFile: z.string().min(1).exactOptional(),
  /** It is asked to end for so long, in ms, then told to; then killed. */
  stopGraceMs: z.number().nonnegative().default(5_000),
});
export type PostgresServerInput = z.input<typeof PostgresServerOptions>;
type PostgresServerOptions = z.output<typeof PostgresServerOptions>;

type Owner = { is: 'nobody' | 'stranger' | 'ending' } | { is: 'server'; identity: ProcessIdentity };

const POLL_MS = 10;
const TAIL_BYTES = 2_048;
/** How long it has to be gone after a SIGQUIT, which saves nothing, in ms. */
const QUIT_WAIT_MS = 2_000;
const KILL_WAIT_MS = 5_000;

/**
 * A Postgres server of our own, started by its program. It outlives the guardian, and is found again by its lock file and
 * the folder that its processes work in.
 *
 * A postmaster that was killed leaves its lock file, its children for a moment, and, where nobody asks how it ended, a
 * zombie that keeps its number taken. Postgres takes each of these for a server that runs, and does not start. So: children
 * are waited for; a zombie is gone.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const server = createPostgresServer({ command: '/usr/lib/postgresql/18/bin/postgres', dataFolder: '/data/pg' });
 */
export function createPostgresServer(
  input: PostgresServerInput,
  { clock = systemClock }: { clock?: Clock } = {},
): ServiceAdapter {
  return new PostgresServer(parseOrThrow(PostgresServerOptions, input, 'a Postgres server'), clock);
}

class PostgresServer implements ServiceAdapter {
  readonly kind = 'service';
  readonly #options: PostgresServerOptions;
  readonly #clock: Clock;
  /** Starts: of two at once, one would remove the lock that the other's server had just made. */
  readonly #inTurn = oneAtATime();
  readonly #lockPath: string;
  readonly #logPath: string;

  constructor(options: PostgresServerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#lockPath = join(options.dataFolder, 'postmaster.pid');
    this.#logPath = options.logFile ?? `${options.dataFolder}.log`;
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const { is } = await this.state(signal);
    if (is !== 'running') {
      return failed('process.exited', 'decisive', `no server runs in ${this.#options.dataFolder}`);
    }
    if ((await this.#lock())?.isReady === true) return HEALTHY;
    return {
      status: 'DEGRADED',
      signal: 'process.starting',
      note: 'the server starts, or stops, or recovers',
    };
  }

  async state(_signal?: AbortSignal): Promise<ServiceState> {
    const identity = await this.#postmaster();
    return identity ? { is: 'running', identity } : { is: 'stopped' };
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#start(signal));
  }

  async #start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let child: ChildProcess | undefined;
    if (!(await this.#postmaster())) {
      await this.#awaitRemains(signal);
      const { is } = await this.#owner();
      if (is !== 'ending') await rm(this.#lockPath, { force: true });
      child = await this.#spawn();
    }
    while ((await this.#lock())?.isReady !== true || !(await this.#postmaster())) {
      if (child && (child.exitCode !== null || child.signalCode !== null)) {
        throw new GuardianMisuseError(
          `The Postgres server does not start: ${await this.#logTail()}`,
        );
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  async stop(signal: AbortSignal): Promise<void> {
    const { stopGraceMs } = this.#options;
    // https://postgresql.org/docs/18/server-shutdown.html: INT lets nobody finish but saves all, QUIT saves nothing.
    const ladder = [
      { send: 'SIGINT', forMs: stopGraceMs },
      { send: 'SIGQUIT', forMs: QUIT_WAIT_MS },
    ] as const;
    for (const { send, forMs } of ladder) {
      const identity = await this.#postmaster();
      if (!identity) break;
      for (const pid of await this.#processes()) sendSignal(pid, 'SIGCONT'); // or they hear nothing else
      sendSignal(identity.pid, send);
      if (await this.#becomesEmpty(signal.aborted ? 0 : forMs)) return;
    }
    for (const pid of await this.#processes()) sendSignal(pid, 'SIGKILL');
    if (await this.#becomesEmpty(KILL_WAIT_MS)) return;
    throw new GuardianMisuseError(
      `The Postgres server in ${this.#options.dataFolder} does not end, not even by SIGKILL.`,
    );
  }

  async #spawn(): Promise<ChildProcess> {
    const { command, dataFolder, args, env, uid, gid } = this.#options;
    const log = await open(this.#logPath, 'a');
    try {
      const child = spawn(command, ['-D', dataFolder, ...args], {
        cwd: dataFolder,
        env: { PATH: process.env['PATH'], ...env },
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        ...(uid !== undefined && { uid }),
        ...(gid !== undefined && { gid }),
      });
      child.unref();
      await new Promise((spawned, reject) => {
        child.once('spawn', spawned);
        child.once('error', (cause) =>
          reject(
            new GuardianMisuseError(`${command} could not be started: ${cause.message}`, { cause }),
          ),
        );
      });
      return child;
    } finally {
      await log.close();
    }
  }

  /** What is left of a postmaster that was killed ends by itself, soon; children that are stopped do not. */
  async #awaitRemains(signal: AbortSignal): Promise<void> {
    const deadline = this.#clock.monotonic() + this.#options.stopGraceMs;
    for (;;) {
      const orphans = await this.#processes();
      const { is } = await this.#owner();
      if (orphans.length === 0 && is !== 'ending') return;
      if (this.#clock.monotonic() >= deadline) {
        if (orphans.length === 0) return;
        for (const pid of orphans) sendSignal(pid, 'SIGKILL');
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  async #postmaster(): Promise<ProcessIdentity | undefined> {
    const owner = await this.#owner();
    return owner.is === 'server' ? owner.identity : undefined;
  }

  /** Whoever has the number in the lock file: that alone may be another's by now. */
  async #owner(): Promise<Owner> {
    const lock = await this.#lock();
    const identity = lock && (await identify(lock.pid));
    if (!identity) return { is: 'nobody' }; // also when it is a zombie
    try {
      const folder = await readlink(`/proc/${identity.pid}/cwd`);
      return folder === (await this.#folder()) ? { is: 'server', identity } : { is: 'stranger' };
    } catch (error) {
      const code = errorCode(error);
      // Another user's may be the server: it is never taken for gone, for two servers must not have one folder.
      if (code === 'EACCES' || code === 'EPERM') return { is: 'server', identity };
      // One that ends has no folder any more, before it has no number. Where there is no /proc, nobody has.
      return (await hasProc()) ? { is: 'ending' } : { is: 'server', identity };
    }
  }

  /** https://postgresql.org/docs/18/storage-file-layout.html; the eighth line is how far it is. */
  async #lock(): Promise<{ pid: number; isReady: boolean } | undefined> {
    const text = await readFile(this.#lockPath, 'utf8').catch(() => undefined);
    const lines = text?.split('\n');
    const pid = Number(lines?.[0]);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return { pid, isReady: lines?.[7]?.trim() === 'ready' };
  }

  /** All that work in its folder, as far as they can be seen. */
  async #processes(): Promise<number[]> {
    return findByFolder(await this.#folder());
  }

  async #folder(): Promise<string> {
    const { dataFolder } = this.#options;
    return realpath(dataFolder).catch(() => resolve(dataFolder));
  }

  async #becomesEmpty(withinMs: number): Promise<boolean> {
    const deadline = this.#clock.monotonic() + withinMs;
    for (;;) {
      if (!(await this.#postmaster()) && (await this.#processes()).length === 0) return true;
      if (this.#clock.monotonic() >= deadline) return false;
      await this.#clock.sleep(POLL_MS);
    }
  }

  async #logTail(): Promise<string> {
    const text = await readFile(this.#logPath).catch(() => Buffer.alloc(0));
    return text.subarray(-TAIL_BYTES).toString('utf8').trim();
  }
}

/** Processes that live and work in a folder; as a postmaster and all of its children do in their data folder. */
export async function findByFolder(folder: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
      return cwd === folder && (await identify(Number(pid))) ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}
