import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, parseOrThrow, systemClock, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import type {
  ProcessIdentity,
  ServiceAdapter,
  ServiceExit,
  ServiceState,
  Sign,
} from '../../resource/adapters.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { signOfExit } from './classify-exit.ts';
import { findByEnvironment, identify, isAlive } from './proc.ts';

export const ProcessServiceOptions = z.strictObject({
  /** Unique among all services that share `stateFolder`. */
  id: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots, dashes and underscores only'),
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  cwd: z.string().optional(),
  /** All of its environment; nothing is inherited but PATH. */
  env: z.record(z.string(), z.string()).default({}),
  /** Folder for its process id and its stderr: a guardian that starts anew finds the service by it. */
  stateFolder: z.string().min(1),
  /** It is asked to end for so long, in ms, then killed. */
  stopGraceMs: z.number().nonnegative().default(2_000),
});
export type ProcessServiceInput = z.input<typeof ProcessServiceOptions>;
type ProcessServiceOptions = z.output<typeof ProcessServiceOptions>;

export interface ProcessServicePorts {
  clock?: Clock;
  /** Whether it does its work, once it runs. Default: that it runs is enough. */
  ready?: (signal: AbortSignal) => Promise<Reading>;
}

const MARK = 'BUDDY_SERVICE';
const TAIL_BYTES = 8_192;
const POLL_MS = 10;
const KILL_WAIT_MS = 5_000;

const ProcessRecord = z.object({ pid: z.int(), start_time: z.string() });

/**
 * A service that is a child process, in a process group of its own. It outlives the guardian; a guardian that starts anew
 * finds it by its record and by a mark in its environment, so that no second one is started and none is left behind.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const api = createProcessService({ id: 'api', command: 'node', args: ['api.js'], stateFolder: 'state' });
 */
export function createProcessService(
  input: ProcessServiceInput,
  ports: ProcessServicePorts = {},
): ServiceAdapter {
  return new ProcessService(parseOrThrow(ProcessServiceOptions, input, 'a process service'), ports);
}

class ProcessService implements ServiceAdapter {
  readonly kind = 'service';
  readonly #options: ProcessServiceOptions;
  readonly #clock: Clock;
  readonly #ready: ProcessServicePorts['ready'];
  #identity: ProcessIdentity | undefined;
  /** The one that we started last. */
  #child: ChildProcess | undefined;
  #exit: ServiceExit | undefined;
  #isWanted = true;
  #raise: ((sign: Sign) => void) | undefined;

  constructor(options: ProcessServiceOptions, { clock = systemClock, ready }: ProcessServicePorts) {
    this.#options = options;
    this.#clock = clock;
    this.#ready = ready;
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const state = await this.state(signal);
    switch (state.is) {
      case 'running':
        return this.#ready ? this.#ready(signal) : HEALTHY;
      case 'exited':
        return signOfExit(this.#options.id, state.exit);
      case 'stopped':
        return {
          status: 'FAILED',
          signal: 'process.exited',
          certainty: 'decisive',
          note: `${this.#options.id} does not run`,
        };
    }
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.#raise = raise;
    return () => {
      this.#raise = undefined;
    };
  }

  async state(_signal?: AbortSignal): Promise<ServiceState> {
    const identity = await this.#find();
    if (identity) return { is: 'running', identity };
    if (this.#exit) return { is: 'exited', exit: this.#exit };
    if (!this.#isWanted) return { is: 'stopped' };
    const stderrTail = await this.#stderrTail();
    return { is: 'exited', exit: { code: null, signal: null, stderrTail } };
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#isWanted = true;
    if (await this.#find()) return;
    signal.throwIfAborted();
    const { id, command, args, cwd, env, stateFolder } = this.#options;
    await mkdir(stateFolder, { recursive: true });
    // A file and no pipe: it must be able to write when we are gone.
    const stderr = await open(this.#stderrPath, 'w');
    try {
      const child = spawn(command, args, {
        cwd,
        env: { PATH: process.env['PATH'], ...env, [MARK]: this.#mark },
        detached: true,
        stdio: ['ignore', 'ignore', stderr.fd],
      });
      // At once, for it may end before anything else is known of it.
      child.once('exit', (code, by) => void this.#ended(child, code, by));
      this.#child = child;
      this.#exit = undefined;
      child.unref();
      const pid = await pidOf(child, id);
      const { startTime } = (this.#identity = (await identify(pid)) ?? { pid, startTime: 'gone' });
      await writeFileAtomic(
        this.#recordPath,
        `${JSON.stringify({ pid, start_time: startTime })}\n`,
      );
    } finally {
      await stderr.close();
    }
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#isWanted = false;
    const deadline = this.#clock.monotonic() + this.#options.stopGraceMs;
    const killDeadline = deadline + KILL_WAIT_MS;
    let sent: NodeJS.Signals | undefined;
    for (;;) {
      const alive = await this.#all();
      if (alive.length === 0) break;
      const now = this.#clock.monotonic();
      if (now > killDeadline) {
        throw new GuardianMisuseError(
          `${this.#options.id} does not end, not even by SIGKILL: ${alive.map(({ pid }) => pid).join(', ')}`,
        );
      }
      const due = now >= deadline || signal.aborted ? 'SIGKILL' : 'SIGTERM';
      if (due === 'SIGKILL' || sent !== due) {
        if (this.#identity) send(-this.#identity.pid, due); // its group, where there is no /proc to find the others by
        for (const { pid } of alive) send(pid, due);
      }
      sent = due;
      await this.#clock.sleep(POLL_MS);
    }
    this.#identity = undefined;
    this.#child = undefined;
    this.#exit = undefined;
  }

  /** The process itself: the one that we started, or that the record or the mark leads to. */
  async #find(): Promise<ProcessIdentity | undefined> {
    if (this.#identity && (await isAlive(this.#identity))) return this.#identity;
    this.#identity = undefined;
    const recorded = await this.#recorded();
    if (recorded && (await isAlive(recorded))) this.#identity = recorded;
    else if (!this.#exit) [this.#identity] = await findByEnvironment(MARK, this.#mark);
    return this.#identity;
  }

  /** It and all that came from it, however they left its group. */
  async #all(): Promise<ProcessIdentity[]> {
    const marked = await findByEnvironment(MARK, this.#mark);
    const own = await this.#find();
    if (own && !marked.some(({ pid }) => pid === own.pid)) marked.push(own);
    return marked;
  }

  async #ended(child: ChildProcess, code: number | null, by: NodeJS.Signals | null): Promise<void> {
    if (this.#child !== child || !this.#isWanted) return;
    this.#exit = { code, signal: by, stderrTail: await this.#stderrTail() };
    this.#raise?.(signOfExit(this.#options.id, this.#exit));
  }

  async #recorded(): Promise<ProcessIdentity | undefined> {
    const text = await readFile(this.#recordPath, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const { pid, start_time: startTime } = parseOrThrow(
      ProcessRecord,
      JSON.parse(text),
      `process record ${this.#recordPath}`,
    );
    return { pid, startTime };
  }

  async #stderrTail(): Promise<string> {
    const text = await readFile(this.#stderrPath).catch(() => Buffer.alloc(0));
    return text.subarray(-TAIL_BYTES).toString('utf8');
  }

  get #mark(): string {
    return `${this.#options.stateFolder}/${this.#options.id}`;
  }

  get #recordPath(): string {
    return join(this.#options.stateFolder, `${this.#options.id}.json`);
  }

  get #stderrPath(): string {
    return join(this.#options.stateFolder, `${this.#options.id}.stderr`);
  }
}

function pidOf(child: ChildProcess, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new GuardianMisuseError(`${id} could not be started: ${cause.message}`, { cause })),
    );
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

/** It may be gone by now, which is what was wanted. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
