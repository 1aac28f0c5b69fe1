import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
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
import { findByEnvironment, identify } from './proc.ts';
import { MARK, markOf } from './process-mark.ts';

/** How a process of a bot ended. */
interface BotExited {
  readonly at: number;
  readonly botId: string;
  readonly exit: {
    readonly kind: string;
    readonly exitCode: number | null;
    readonly signal: string | null;
    /** ISO 8601. */
    readonly at: string;
  };
}

/** What is asked of a supervisor: that of `@buddy/bots` fits. */
export interface BotSupervisor {
  readonly events: {
    on(event: 'botExited', listener: (event: BotExited) => void): unknown;
    on(event: 'botStarted', listener: (event: { at: number; botId: string }) => void): unknown;
    off(event: 'botExited', listener: (event: BotExited) => void): unknown;
    off(event: 'botStarted', listener: (event: { at: number; botId: string }) => void): unknown;
  };
  start(id: string): Promise<void>;
  stop(id: string): Promise<unknown>;
  /** The process of a bot; undefined when it has none. */
  identity(
    id: string,
  ): Promise<{ readonly pid: number; readonly startedAtTicks: string } | undefined>;
  status(
    id: string,
  ): Promise<{ readonly status: string; readonly lastExit?: BotExited['exit'] | undefined }>;
  /** What a bot wrote last, oldest first. */
  logs(
    id: string,
    options?: { last?: number | undefined },
  ): Promise<readonly { readonly at: number; readonly stream: string; readonly text: string }[]>;
}

export const BotServiceOptions = z.strictObject({
  /** It may take so long, in ms, from its start until it is ready. */
  bootBudgetMs: z.number().positive().default(30_000),
  /**
   * Folder that names its mark, as for `createServiceLaunch`: a process that bears `serviceMark({ stateFolder, id })` in its
   * environment is the bot's, and ended with it, also when the supervisor does not know of it.
   */
  stateFolder: z.string().min(1).optional(),
});
export type BotServiceInput = z.input<typeof BotServiceOptions>;
type BotServiceOptions = z.output<typeof BotServiceOptions>;

export interface BotServicePorts {
  clock?: Clock;
  /** Whether it does its work, once it runs. Default: that it runs is enough. */
  ready?: (signal: AbortSignal) => Promise<Reading>;
}

/** By this a process is known to be of a service: a variable for its environment. */
export function serviceMark(of: { stateFolder: string; id: string }): Record<string, string> {
  return { [MARK]: markOf(of) };
}

/**
 * A bot under a supervisor, as a service that a guardian heals. Only one party may start it again: hand the bot over
 * (`handedOver` of the supervisor's options), or make its restarts temporary. Other bots that depend on it are stopped with it.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const supervisor = createSupervisor({ registry, handedOver: ['crawler'] });
 * const resources = [{ id: 'crawler', adapter: createBotService(supervisor, 'crawler') }];
 */
export function createBotService(
  supervisor: BotSupervisor,
  id: string,
  input: BotServiceInput = {},
  ports: BotServicePorts = {},
): ServiceAdapter {
  const options = parseOrThrow(BotServiceOptions, input, 'a bot as a service');
  return new BotService(supervisor, id, options, ports);
}

/** The supervisor's own words for a bot that has no process for a moment. */
const BETWEEN = new Set(['starting', 'stopping', 'backing_off']);
const ENDED = new Set(['crashed', 'quarantined']);
const TAIL_LINES = 50;
const POLL_MS = 10;
const SETTLED_WITHIN_MS = 1_000;
const KILL_AFTER_MS = 500;
const GIVE_UP_AFTER_MS = 5_000;

class BotService implements ServiceAdapter {
  readonly kind = 'service';
  readonly #supervisor: BotSupervisor;
  readonly #id: string;
  readonly #options: BotServiceOptions;
  readonly #clock: Clock;
  readonly #ready: BotServicePorts['ready'];
  /** The process that was seen last, since when (monotonic ms), and whether it was ready since. */
  #seen: { identity: ProcessIdentity; since: number; wasReady: boolean } | undefined;
  /** What it wrote before belongs to another process. Ms since the epoch. */
  #startedAt = 0;
  #endedAt = 0;

  constructor(
    supervisor: BotSupervisor,
    id: string,
    options: BotServiceOptions,
    { clock = systemClock, ready }: BotServicePorts,
  ) {
    this.#supervisor = supervisor;
    this.#id = id;
    this.#options = options;
    this.#clock = clock;
    this.#ready = ready;
    supervisor.events.on('botStarted', ({ at, botId }) => {
      if (botId === id) this.#startedAt = at;
    });
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const state = await this.state();
    switch (state.is) {
      case 'running':
        return this.#readiness(state.identity, signal);
      case 'exited':
        return this.#signOf(state.exit);
      case 'stopped': {
        const { status } = await this.#supervisor.status(this.#id);
        const note = `${this.#id} is ${status}`;
        if (BETWEEN.has(status)) return { status: 'UNKNOWN', reason: 'warming_up', note };
        return { status: 'FAILED', signal: 'process.exited', certainty: 'decisive', note };
      }
    }
  }

  /** Loops are for the limits of the guardian, and of the supervisor, to see. */
  #signOf(exit: ServiceExit): Sign {
    return signOfExit(this.#id, exit, { loop: undefined, endedAt: this.#endedAt });
  }

  /** What is not ready yet has not failed; what is not after its time has. */
  async #readiness(identity: ProcessIdentity, signal: AbortSignal): Promise<Reading> {
    if (this.#seen?.identity.startTime !== identity.startTime) {
      this.#seen = { identity, since: this.#clock.monotonic(), wasReady: false };
    }
    const seen = this.#seen;
    const reading = this.#ready ? await this.#ready(signal) : HEALTHY;
    if (reading.status === 'HEALTHY' || reading.status === 'DEGRADED') {
      seen.wasReady = true;
      return reading;
    }
    if (seen.wasReady) return reading;
    const bootingMs = Math.round(this.#clock.monotonic() - seen.since);
    const note = `${this.#id} is not ready after ${bootingMs} ms: ${reading.note}`;
    if (bootingMs < this.#options.bootBudgetMs) {
      return { status: 'UNKNOWN', reason: 'warming_up', note };
    }
    const data = { booting_ms: bootingMs };
    return { status: 'FAILED', signal: 'service.slow_boot', certainty: 'decisive', note, data };
  }

  watch(raise: (sign: Sign) => void): () => void {
    const listener = ({ botId, exit }: BotExited) => {
      if (botId !== this.#id || exit.kind === 'requested') return;
      this.#endedAt = Date.parse(exit.at);
      void this.#exitOf(exit).then((ended) => raise(this.#signOf(ended)));
    };
    this.#supervisor.events.on('botExited', listener);
    return () => void this.#supervisor.events.off('botExited', listener);
  }

  async state(): Promise<ServiceState> {
    const identity = await this.#settledIdentity();
    if (identity) return { is: 'running', identity };
    const { status, lastExit } = await this.#supervisor.status(this.#id);
    if (!ENDED.has(status) || !lastExit) return { is: 'stopped' };
    this.#endedAt = Date.parse(lastExit.at);
    return { is: 'exited', exit: await this.#exitOf(lastExit) };
  }

  async start(signal: AbortSignal): Promise<void> {
    if (await this.#identity()) return;
    signal.throwIfAborted();
    const begun = Promise.withResolvers<void>();
    const onStart = ({ botId }: { botId: string }) => {
      if (botId === this.#id) begun.resolve();
    };
    const onAbort = () => begun.reject(signal.reason);
    this.#supervisor.events.on('botStarted', onStart);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      // When it is ready is for the checks to see; that it never will be, once it runs, too.
      const ready = this.#supervisor.start(this.#id);
      ready.catch(() => undefined);
      await Promise.race([ready, begun.promise]);
    } finally {
      this.#supervisor.events.off('botStarted', onStart);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop(this.#id);
    await this.#endThoseLeft();
  }

  /** A process that is gone is still its bot's until the supervisor has seen to its end: that is waited for, a while. */
  async #settledIdentity(): Promise<ProcessIdentity | undefined> {
    const until = this.#clock.monotonic() + SETTLED_WITHIN_MS;
    for (;;) {
      const found = await this.#identity();
      if (!found || (await identify(found.pid)) || this.#clock.monotonic() >= until) return found;
      await this.#clock.sleep(POLL_MS);
    }
  }

  async #identity(): Promise<ProcessIdentity | undefined> {
    const found = await this.#supervisor.identity(this.#id);
    return found && { pid: found.pid, startTime: found.startedAtTicks };
  }

  async #exitOf({ exitCode, signal }: BotExited['exit']): Promise<ServiceExit> {
    const lines = await this.#supervisor.logs(this.#id, { last: TAIL_LINES });
    const own = lines.filter(({ at, stream }) => stream === 'stderr' && at >= this.#startedAt);
    return { code: exitCode, signal, stderrTail: own.map(({ text }) => text).join('\n') };
  }

  /** Those of former lives, which the supervisor does not know of. */
  async #endThoseLeft(): Promise<void> {
    const { stateFolder } = this.#options;
    if (stateFolder === undefined) return;
    const mark = markOf({ stateFolder, id: this.#id });
    const began = this.#clock.monotonic();
    let sent: NodeJS.Signals | undefined;
    for (;;) {
      const left = await findByEnvironment(MARK, mark);
      if (left.length === 0) return;
      const passedMs = this.#clock.monotonic() - began;
      if (passedMs > GIVE_UP_AFTER_MS) {
        const pids = left.map(({ pid }) => pid).join(', ');
        throw new GuardianMisuseError(`What is left of ${this.#id} does not end: ${pids}`);
      }
      const due = passedMs > KILL_AFTER_MS ? 'SIGKILL' : 'SIGTERM';
      if (due === 'SIGKILL' || sent !== due) for (const { pid } of left) send(pid, due);
      sent = due;
      await this.#clock.sleep(POLL_MS);
    }
  }
}

/** It may be gone by now, which is what was wanted. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
