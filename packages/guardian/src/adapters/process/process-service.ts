import { type ChildProcess, spawn } from 'node:child_process';
import { type Clock, oneAtATime, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type {
  ProcessIdentity,
  ServiceAdapter,
  ServiceExit,
  ServiceState,
} from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { signOfExit } from './classify-exit.ts';
import { CrashHistory } from './crash-history.ts';
import { findByEnvironment, identify, isAlive } from './proc.ts';
import { MARK, markOf } from './process-mark.ts';
import { sendSignal } from './send-signal.ts';
import { NO_RELEASE, ServiceFiles } from './service-files.ts';
import type { Command, ServiceLaunch } from './service-launch.ts';

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
  /** It may take so long, in ms, from its start until it is ready. */
  bootBudgetMs: z.number().positive().default(30_000),
  /** When its ends are a loop: so many, or so many with one stack, within a time (ms) and of one release. */
  crashLoop: z
    .strictObject({
      ends: z.int().positive().default(5),
      sameStack: z.int().positive().default(3),
      windowMs: z.number().positive().default(600_000),
    })
    .prefault({}),
});
export type ProcessServiceInput = z.input<typeof ProcessServiceOptions>;
type ProcessServiceOptions = z.output<typeof ProcessServiceOptions>;

export interface ProcessServicePorts {
  clock?: Clock;
  /** Whether it does its work, once it runs. Default: that it runs is enough. */
  ready?: (signal: AbortSignal) => Promise<Reading>;
  /** Which release, in which mode, with which limits. Default: the command as it is. */
  launch?: ServiceLaunch;
}

const POLL_MS = 10;
const KILL_WAIT_MS = 5_000;
const DYING_MS = 25;
/** A reason of our own for what is not needed any more. */
const OVER = 'over';

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
  readonly #launch: ServiceLaunch | undefined;
  readonly #crashes: CrashHistory;
  readonly #files: ServiceFiles;
  /** Starts and stops: two of them at once would start two processes, or leave one that nobody stops. */
  readonly #inTurn = oneAtATime();
  /** What runs, or ran last: its release, when it was started (ms since the epoch), and whether it was ready since. */
  #run: { release: string; startedAt: number | undefined; wasReady: boolean } | undefined;
  #bootAlarm: AbortController | undefined;
  #identity: ProcessIdentity | undefined;
  /** The one that we started last. */
  #child: ChildProcess | undefined;
  #exit: ServiceExit | undefined;
  #endedAt: number | undefined;
  /** Resolves when it is known how the one that we started last ended. */
  #exitKnown: Promise<void> = Promise.resolve();
  #isWanted = true;
  #raise: ((sign: Sign) => void) | undefined;

  constructor(
    options: ProcessServiceOptions,
    { clock = systemClock, ready, launch }: ProcessServicePorts,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#ready = ready;
    this.#launch = launch;
    this.#crashes = new CrashHistory(options.crashLoop);
    this.#files = new ServiceFiles(options);
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const state = await this.state(signal);
    switch (state.is) {
      case 'running': {
        const reading = await this.#readiness(signal);
        return reading.status === 'FAILED' ? this.#deathOr(reading, signal) : reading;
      }
      case 'exited':
        return this.#signOf(state.exit);
      case 'stopped': {
        const loop = this.#loop;
        return {
          status: 'FAILED',
          signal: loop === undefined ? 'process.exited' : 'process.crash_loop',
          certainty: 'decisive',
          note: `${this.#options.id} does not run${loop === undefined ? '' : `; ${loop}`}`,
        };
      }
    }
  }

  /** A process that is about to end loses its connections first: that it ends is the better news. */
  async #deathOr(reading: Sign, signal: AbortSignal): Promise<Reading> {
    if (reading.certainty === 'decisive') await this.#clock.sleep(DYING_MS, signal);
    const state = await this.state(signal);
    return state.is === 'exited' ? this.#signOf(state.exit) : reading;
  }

  /** What is not ready yet has not failed; what is not after its time has. */
  async #readiness(signal: AbortSignal): Promise<Reading> {
    const reading = this.#ready ? await this.#ready(signal) : HEALTHY;
    const run = this.#run;
    if (!run) return reading;
    if (reading.status === 'HEALTHY' || reading.status === 'DEGRADED') {
      run.wasReady = true;
      const forMs = this.#clock.now() - (run.startedAt ?? this.#clock.now());
      if (reading.status === 'HEALTHY') await this.#launch?.noteWell(run.release, forMs);
      return reading;
    }
    if (run.wasReady || run.startedAt === undefined) return reading;
    const { id, bootBudgetMs } = this.#options;
    const bootingMs = Math.round(this.#clock.now() - run.startedAt);
    const note = `${id} is not ready ${bootingMs} ms after its start: ${reading.note}`;
    if (bootingMs < bootBudgetMs) return { status: 'UNKNOWN', reason: 'warming_up', note };
    const data = { booting_ms: bootingMs };
    return { status: 'FAILED', signal: 'service.slow_boot', certainty: 'decisive', note, data };
  }

  #signOf(exit: ServiceExit): Sign {
    const endedAt = this.#endedAt ?? this.#clock.now();
    return signOfExit(this.#options.id, exit, { loop: this.#loop, endedAt });
  }

  /** A release that was not tried yet is in no loop. */
  get #loop(): string | undefined {
    return this.#crashes.loopOf(this.#launch?.settings().release ?? NO_RELEASE);
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.#raise = raise;
    this.#setBootAlarm();
    return () => {
      this.#raise = undefined;
      this.#bootAlarm?.abort(OVER);
    };
  }

  /** Tells of a slow boot at the moment when its time is over, and does not wait until somebody looks. */
  #setBootAlarm(): void {
    this.#bootAlarm?.abort(OVER);
    const run = this.#run;
    if (!this.#raise || !this.#ready || run?.startedAt === undefined || run.wasReady) return;
    const alarm = (this.#bootAlarm = new AbortController());
    const leftMs = run.startedAt + this.#options.bootBudgetMs - this.#clock.now();
    void this.#tellOfSlowBoot(Math.max(0, leftMs) + 1, alarm.signal);
  }

  async #tellOfSlowBoot(inMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(inMs, signal);
      const reading = await this.probe(signal);
      if (reading.status === 'FAILED' && !signal.aborted) this.#raise?.(reading);
    } catch {
      // It was called off, or could not look; who looks regularly will see it.
    }
  }

  async state(_signal?: AbortSignal): Promise<ServiceState> {
    const identity = await this.#find();
    if (identity) return { is: 'running', identity };
    // The kernel shows that it is gone before Node tells how.
    if (this.#child) await this.#exitKnown;
    if (this.#exit) return { is: 'exited', exit: this.#exit };
    if (!this.#isWanted) return { is: 'stopped' };
    const stderrTail = await this.#files.stderrTail();
    return { is: 'exited', exit: { code: null, signal: null, stderrTail } };
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#start(signal));
  }

  async #start(signal: AbortSignal): Promise<void> {
    this.#isWanted = true;
    if (await this.#find()) return;
    signal.throwIfAborted();
    const { id, command, args, cwd, env } = this.#options;
    const base: Command = { command, args, cwd, env };
    const release = this.#launch?.settings().release ?? NO_RELEASE;
    const launched = this.#launch?.commandOf(base) ?? base;
    const stderr = await this.#files.begin();
    try {
      const child = spawn(launched.command, launched.args, {
        cwd: launched.cwd,
        env: { PATH: process.env['PATH'], ...launched.env, [MARK]: this.#mark },
        detached: true,
        stdio: ['ignore', 'ignore', stderr.fd],
      });
      // At once, for it may end before anything else is known of it.
      this.#exitKnown = new Promise((resolve) => {
        child.once('error', () => resolve());
        child.once('exit', (code, by) => void this.#ended(child, code, by).finally(resolve));
      });
      this.#child = child;
      this.#exit = undefined;
      const startedAt = this.#clock.now();
      this.#run = { release, startedAt, wasReady: false };
      child.unref();
      const pid = await pidOf(child, id);
      const { startTime } = (this.#identity = (await identify(pid)) ?? { pid, startTime: 'gone' });
      await this.#files.note({ pid, startTime, startedAt, release });
      this.#setBootAlarm();
    } finally {
      await stderr.close();
    }
  }

  stop(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#stop(signal));
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#isWanted = false;
    this.#bootAlarm?.abort(OVER);
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
        if (this.#identity) sendSignal(-this.#identity.pid, due); // its group, where there is no /proc to find the others by
        for (const { pid } of alive) sendSignal(pid, due);
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
    const recorded = await this.#files.noted();
    if (recorded && (await isAlive(recorded))) {
      this.#identity = recorded;
      this.#run ??= this.#adopt(recorded);
    } else if (!recorded && !this.#exit && !this.#child) {
      // Not when it is known which one it was: what else bears the mark is what that left behind, and not the service.
      [this.#identity] = await findByEnvironment(MARK, this.#mark);
    }
    return this.#identity;
  }

  /** What a former life started: whether it was ready since is not known, and taken for granted after its time to boot. */
  #adopt({ release, startedAt }: { release: string; startedAt: number | undefined }) {
    const age = this.#clock.now() - (startedAt ?? -Infinity);
    return { release, startedAt, wasReady: age >= this.#options.bootBudgetMs };
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
    this.#bootAlarm?.abort(OVER);
    const release = this.#run?.release ?? NO_RELEASE;
    const endedAt = this.#clock.now();
    const exit = { code, signal: by, stderrTail: await this.#files.stderrTail() };
    this.#crashes.noteEnd(exit, release, this.#clock.monotonic());
    if (this.#child !== child) return; // another was started meanwhile
    this.#exit = exit;
    this.#endedAt = endedAt;
    this.#raise?.(this.#signOf(exit));
  }

  get #mark(): string {
    return markOf(this.#options);
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
