import { join } from 'node:path';
import { parseOrThrow } from '@buddy/core';
import { Bot, type BotExit, type ProcessIdentity } from '../bot/bot.ts';
import type { BotProgress } from '../bot/registry-port.ts';
import type { BotStatus } from '../bot/status.ts';
import type { Breach, UsageSample } from '../limits/limit-watch.ts';
import { BotLogs } from '../logs/bot-logs.ts';
import type { LogLine } from '../logs/log-line.ts';
import { LogRing } from '../logs/log-ring.ts';
import { RotatingFile } from '../logs/rotating-file.ts';
import { BotSigns } from '../probe/bot-signs.ts';
import { LaunchError } from '../process/errors.ts';
import type { OutputFiles, ProcessTree, TreeUsage } from '../process/processes.ts';
import { BotRecord } from './bot-record.ts';
import { BotRun, type Ended } from './bot-run.ts';
import { classifyExit, describeEnd, type LastError, type Verdict } from './classify-exit.ts';
import { decideNext, type Next } from './decide-next.ts';
import { BotNotStartedError, SupervisorClosedError } from './errors.ts';
import type { BotPorts } from './ports.ts';
import { RestartWindow } from './restart-window.ts';

/** Why a program ended is in its last words. */
const LAST_ERRORS = 20;
/** Variables that every bot gets: without a path, `env node` finds nothing. */
const ALWAYS_HANDED_ON = ['PATH'];

interface Life {
  readonly ready: Promise<void>;
  readonly over: Promise<void>;
  readonly stop: AbortController;
}

interface Launched {
  readonly tree: ProcessTree;
  readonly signs: BotSigns;
}

/** How a process of a bot ended, or did not even begin. */
interface Ending {
  readonly verdict: Verdict;
  readonly exit: BotExit;
  /** Some of its tree is still there, and has to be found again by its mark. */
  readonly isStuck: boolean;
}

/** One bot: what it is by its registry, and its life as long as it has one. */
export class SupervisedBot {
  readonly #ports: BotPorts;
  readonly #record: BotRecord;
  readonly #logs: BotLogs;
  readonly #window = new RestartWindow();
  #bot: Bot;
  #statusReason: string | undefined;
  #life: Life | undefined;
  #run: BotRun | undefined;
  #identity: ProcessIdentity | undefined;
  #lastErrors: LastError[] = [];
  /** Aborted when somebody else is to restart it; a new one for each time. */
  #handedOver = new AbortController();

  constructor(bot: Bot, ports: BotPorts) {
    const { options, emit, clock, logger } = ports;
    this.#bot = bot;
    this.#statusReason = bot.statusReason;
    this.#ports = ports;
    if (options.handedOver.includes(bot.id)) this.handOver();
    this.#record = new BotRecord(bot.id, ports.registry, (error) => {
      logger.error({ err: error, bot: bot.id }, 'What became of a bot could not be recorded');
      emit('recordFailed', { at: clock.now(), botId: bot.id, error });
    });
    this.#logs = new BotLogs({
      ring: new LogRing({ maxLines: options.ringLines, maxCharacters: options.ringCharacters }),
      file: options.logs && this.#logFile(options.logs),
      now: () => clock.now(),
      onLine: (line) => emit('lineLogged', { botId: bot.id, line }),
    });
  }

  get bot(): Bot {
    return this.#bot;
  }

  get statusReason(): string | undefined {
    return this.#statusReason;
  }

  get identity(): ProcessIdentity | undefined {
    return this.#identity;
  }

  get usage(): UsageSample | undefined {
    return this.#run?.usage;
  }

  /** Whether it runs, or will run again by itself. */
  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get tree(): ProcessTree | undefined {
    return this.#run?.tree;
  }

  get isHandedOver(): boolean {
    return this.#handedOver.signal.aborted;
  }

  /** From now on somebody else restarts it; the restart that it waits for is not ours any more either. */
  handOver(): void {
    this.#handedOver.abort();
  }

  takeBack(): void {
    if (this.isHandedOver) this.#handedOver = new AbortController();
  }

  lines(last: number | undefined): readonly LogLine[] {
    return this.#logs.last(last);
  }

  observe(usage: TreeUsage): void {
    this.#run?.observe(usage);
  }

  /**
   * Resolves when it is ready, after restarts if need be; at once when it already is.
   * @throws {BotNotStartedError} It will not be, unless somebody changes something. @throws {SupervisorClosedError}
   */
  async start(): Promise<void> {
    if (this.#life?.stop.signal.aborted) await this.#life.over;
    if (!this.#life) {
      await this.recorded(); // or what is there is older than what we know
      const bot = await this.#ports.registry.get(this.#bot.id);
      this.#bot = parseOrThrow(Bot, bot, `bot ${this.#bot.id}`);
      this.#window.clear(); // a person, or a healer, begins a new count
    }
    // Whoever closes has by now asked those that live to stop: one that begins here would be missed.
    if (this.#ports.closing.aborted) throw new SupervisorClosedError();
    if (!this.#life) {
      this.#life = this.#begin(undefined);
      this.#ports.begun();
    }
    return this.#life.ready;
  }

  /** Takes over what an earlier supervisor has left running. */
  adopt(tree: ProcessTree, signs: BotSigns): void {
    this.#identity = tree.identity;
    this.#ports.emit('botAdopted', { ...this.#stamp(), process: tree.identity });
    this.#life = this.#begin({ tree, signs });
    this.#ports.begun();
  }

  /** Resolves when nothing of it is left. What became of it may not be recorded by then. */
  async end(): Promise<void> {
    if (this.#life) {
      this.#life.stop.abort();
      await this.#life.over;
    } else if (this.#bot.status === 'quarantined' || this.#bot.status === 'backing_off') {
      void this.#move('stopped', undefined);
    }
  }

  /** Resolves when all that became of it is in the registry, or could not be put there. */
  recorded(): Promise<void> {
    return this.#record.recorded();
  }

  /** Ends what is left of it when its first process is gone, and writes down that it is. */
  async bury(survivors: readonly number[], stuckPids: readonly number[]): Promise<void> {
    if (survivors.length > 0)
      this.#ports.emit('leftoversEnded', { ...this.#stamp(), pids: survivors });
    if (stuckPids.length > 0)
      this.#ports.emit('processesStuck', { ...this.#stamp(), pids: stuckPids });
    const { status } = this.#bot;
    const isAsked = status === 'stopping' || status === 'backing_off';
    const isOver = !['starting', 'running', 'degraded', 'stopping', 'backing_off'].includes(status);
    if (isOver) return this.#record.record({ process: null, mark: null });
    const reason = 'It ended while nobody supervised it';
    await this.#move(isAsked ? 'stopped' : 'crashed', reason, { process: null, mark: null });
  }

  /** Lets it run on without us. */
  async leave(): Promise<void> {
    if (!this.#run) return this.end(); // one that backs off would be started with nobody there
    this.#run.abandon();
    this.#run.tree.leave();
  }

  async flush(): Promise<void> {
    await this.#logs.flush();
  }

  /** Where it writes to by itself, so that it can outlive us. */
  outputFiles(): OutputFiles | undefined {
    const { orphans, logs } = this.#ports.options;
    if (orphans === 'end' || !logs) return undefined;
    const fileOf = (stream: string) => join(logs.folder, `${this.#bot.id}.${stream}`);
    return { stdout: fileOf('stdout'), stderr: fileOf('stderr') };
  }

  newSigns(): BotSigns {
    const { readiness } = this.#bot.deployment;
    const text = readiness.kind === 'line' ? readiness.text : undefined;
    const signs = new BotSigns(() => this.#ports.clock.monotonic(), text);
    this.#lastErrors = [];
    this.#logs.hide(valuesOf(this.#ports.environment, this.#bot.deployment.env));
    this.#logs.onRawLine = (stream, raw, shown) => {
      if (stream === 'stdout') signs.onLine(raw);
      else this.#lastErrors = [...this.#lastErrors.slice(1 - LAST_ERRORS), { raw, shown }];
    };
    return signs;
  }

  onOutput(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    this.#logs.write(stream, bytes);
  }

  #begin(adopted: Launched | undefined): Life {
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined); // nobody need wait for it
    const stop = new AbortController();
    const over = this.#live(stop.signal, ready, adopted)
      .catch((error: unknown) => {
        ready.reject(error);
        this.#ports.logger.error({ err: error, bot: this.#bot.id }, 'A bot was given up');
      })
      .finally(() => (this.#life = undefined));
    return { over, ready: ready.promise, stop };
  }

  async #live(
    stopSignal: AbortSignal,
    ready: PromiseWithResolvers<void>,
    adopted: Launched | undefined,
  ): Promise<void> {
    let first = adopted;
    // The same from start to start: one that comes back after a crash need not wait until the disk has a new one.
    const mark = (adopted && this.#bot.mark) ?? this.#ports.newId();
    for (let isFirst = true; ; isFirst = false) {
      const launched = first ?? (await this.#launch(mark, isFirst));
      first = undefined;
      const isAdopted = launched === adopted;
      const ending =
        'verdict' in launched
          ? launched
          : await this.#runUntilGone(launched, isAdopted, stopSignal, ready);
      const next = this.#next(ending.verdict, stopSignal);
      const settled = this.#settle(next, ending);
      if (next.kind !== 'restart') return this.#giveUp(next.reason, settled, ready);
      if (!(await this.#isWaitedOut(next.waitMs, stopSignal))) {
        if (!stopSignal.aborted) {
          const reason = `It was handed over before its restart; the last end: ${ending.verdict.reason}`;
          return this.#giveUp(reason, this.#move('crashed', reason, { mark: null }), ready);
        }
        const stopped = this.#move('stopped', undefined, { mark: null });
        return this.#giveUp('it was asked to stop', stopped, ready);
      }
    }
  }

  /** Told when it is recorded, and so after the start that came before. */
  #giveUp(reason: string, recorded: Promise<void>, ready: PromiseWithResolvers<void>): void {
    const { id, status } = this.#bot;
    void recorded.then(() => ready.reject(new BotNotStartedError(id, status, reason)));
  }

  /** @returns The process, or how it came that there is none. */
  async #launch(mark: string, isFirst: boolean): Promise<Launched | Ending> {
    const { clock, processes } = this.#ports;
    const progress = { process: null, mark };
    if (isFirst) await this.#moveOrThrow('starting', progress);
    else void this.#move('starting', undefined, { ...progress, restarts: this.#bot.restarts + 1 });
    const { command, args, cwd, readiness, liveness, stopGraceMs } = this.#bot.deployment;
    const signs = this.newSigns();
    try {
      const tree = await clock.external(() =>
        processes.launch({
          mark,
          command,
          args,
          cwd,
          environment: this.#environment(),
          hasMessages: readiness.kind === 'message' || liveness?.kind === 'message',
          stopGraceMs,
          outputFiles: this.outputFiles(),
          onOutput: (stream, bytes) => this.onOutput(stream, bytes),
          onMessage: (message) => signs.onMessage(message),
        }),
      );
      this.#identity = tree.identity;
      void this.#tellStart(tree.identity);
      return { tree, signs };
    } catch (error) {
      const isConfiguration = error instanceof LaunchError && error.isConfiguration;
      const reason = error instanceof Error ? error.message : String(error);
      const verdict = { kind: isConfiguration ? 'configuration' : 'crash', reason } as const;
      return this.#ending(verdict);
    }
  }

  async #runUntilGone(
    { tree, signs }: Launched,
    isAdopted: boolean,
    stopSignal: AbortSignal,
    ready: PromiseWithResolvers<void>,
  ): Promise<Ending> {
    const { clock } = this.#ports;
    const options = { bot: this.#bot, tree, signs, isAdopted, stopSignal };
    const wasReady = isAdopted && this.#bot.status !== 'starting';
    let readyAt = wasReady ? clock.monotonic() : undefined;
    this.#run = new BotRun(options, this.#ports, {
      ready: (afterMs) => {
        readyAt = clock.monotonic();
        void this.#becomeReady(afterMs, ready);
      },
      degraded: (reason) => void this.#move('degraded', reason),
      recovered: () => void this.#move('running', undefined),
      ending: (cause) => {
        this.#window.ran(readyAt === undefined ? 0 : clock.monotonic() - readyAt);
        if (cause.kind === 'requested') void this.#move('stopping', undefined);
        if (cause.kind === 'limit_exceeded')
          this.#ports.emit('limitExceeded', { ...this.#stamp(), ...cause.breach });
      },
    });
    if (wasReady) ready.resolve();
    const ended = await this.#run.untilGone();
    this.#run = undefined;
    this.#identity = undefined;
    this.#logs.endOfProcess();
    if (ended.stuckPids.length > 0)
      this.#ports.emit('processesStuck', { ...this.#stamp(), pids: ended.stuckPids });
    const verdict = this.#verdictOn(ended);
    return this.#ending(verdict, ended);
  }

  async #becomeReady(afterMs: number, ready: PromiseWithResolvers<void>): Promise<void> {
    const stamp = this.#stamp();
    await this.#move('running', undefined);
    this.#ports.emit('botReady', { ...stamp, afterMs });
    ready.resolve();
  }

  /** Nobody waits for it: a process that runs can be looked at before the disk has it, and the mark is there already. */
  async #tellStart(identity: ProcessIdentity): Promise<void> {
    const stamp = this.#stamp();
    await this.#record.record({ process: identity });
    this.#ports.emit('botStarted', { ...stamp, process: identity });
  }

  #ending(verdict: Verdict, ended?: Ended): Ending {
    const { exitCode, signal } = ended?.end ?? { exitCode: null, signal: null };
    const at = new Date(this.#ports.clock.now()).toISOString();
    const isStuck = (ended?.stuckPids.length ?? 0) > 0;
    return { verdict, exit: { kind: verdict.kind, exitCode, signal, at }, isStuck };
  }

  #verdictOn({ cause, end }: Ended): Verdict {
    const how = end ? describeEnd(end) : 'it hangs in the kernel';
    switch (cause.kind) {
      case 'exited':
        return classifyExit({ ...cause.end, lastErrors: this.#lastErrors });
      case 'requested':
        return { kind: 'requested', reason: how };
      case 'limit_exceeded':
        return { kind: 'limit_exceeded', reason: describeBreach(cause.breach) };
      case 'not_ready':
      case 'not_alive':
        return { kind: cause.kind, reason: cause.reason };
    }
  }

  #next(verdict: Verdict, stopSignal: AbortSignal): Next {
    if (stopSignal.aborted)
      return { kind: 'rest', status: 'stopped', reason: 'it was asked to stop' };
    const { restart } = this.#bot.deployment;
    const { random } = this.#ports;
    return decideNext(verdict, {
      policy: this.isHandedOver ? { ...restart, kind: 'temporary' } : restart,
      window: this.#window,
      random,
    });
  }

  /** The end and what comes after it are recorded as one. */
  async #settle(next: Next, { verdict, exit, isStuck }: Ending): Promise<void> {
    this.#bot = { ...this.#bot, lastExit: exit };
    const stamp = this.#stamp();
    const ended = { lastExit: exit, process: null };
    const gone = isStuck ? ended : { ...ended, mark: null };
    const tell = () => this.#ports.emit('botExited', { ...stamp, exit, reason: verdict.reason });
    switch (next.kind) {
      case 'rest': {
        const reason = next.status === 'crashed' ? next.reason : undefined;
        return this.#move(next.status, reason, gone, tell);
      }
      case 'quarantine':
        await this.#move('quarantined', next.reason, gone, tell);
        return this.#ports.emit('botQuarantined', { ...stamp, reason: next.reason });
      case 'restart': {
        const { waitMs, restarts } = next;
        await this.#move('backing_off', `restart ${restarts} in ${waitMs} ms`, ended, tell);
        return this.#ports.emit('botRestarting', { ...stamp, waitMs, restarts });
      }
    }
  }

  /** False when it is to stop, or is handed over, before. */
  async #isWaitedOut(ms: number, stopSignal: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([stopSignal, this.#handedOver.signal]);
    try {
      await this.#ports.clock.sleep(ms, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  async #moveOrThrow(to: BotStatus, progress: BotProgress): Promise<void> {
    const from = this.#bot.status;
    this.#bot = await this.#record.recordOrThrow({ status: to, ...progress });
    this.#statusReason = undefined;
    this.#ports.emit('statusChanged', { ...this.#stamp(), from, to, reason: undefined });
  }

  /** It has moved at once; resolves when that is recorded and told. Who has a process to signal does not wait for a disk. */
  async #move(
    to: BotStatus,
    reason: string | undefined,
    progress: BotProgress = {},
    tell: () => void = () => undefined,
  ): Promise<void> {
    const from = this.#bot.status;
    if (from === to) return;
    const { restarts = this.#bot.restarts } = progress;
    const stamp = this.#stamp();
    const statusSince = new Date(stamp.at).toISOString();
    this.#bot = { ...this.#bot, status: to, restarts, statusSince };
    this.#statusReason = reason;
    await this.#record.record({ status: to, statusReason: reason ?? null, ...progress });
    tell();
    this.#ports.emit('statusChanged', { ...stamp, from, to, reason });
  }

  #stamp(): { at: number; botId: string } {
    return { at: this.#ports.clock.now(), botId: this.#bot.id };
  }

  #environment(): Record<string, string> {
    const { environment } = this.#ports;
    const names = [...ALWAYS_HANDED_ON, ...this.#bot.deployment.env];
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  #logFile({
    folder,
    maxFileBytes,
    maxFiles,
  }: NonNullable<BotPorts['options']['logs']>): RotatingFile {
    return new RotatingFile(join(folder, `${this.#bot.id}.log`), {
      maxBytes: maxFileBytes,
      maxFiles,
      onFailure: (error) =>
        this.#ports.logger.warn({ err: error, bot: this.#bot.id }, "A bot's log cannot be written"),
    });
  }
}

function valuesOf(
  environment: BotPorts['environment'],
  names: readonly string[],
): readonly string[] {
  return names.flatMap((name) => (name === 'PATH' ? [] : (environment[name] ?? [])));
}

function describeBreach(breach: Breach): string {
  const { sample, forMs } = breach;
  const since = `for ${Math.round(forMs)} ms`;
  switch (breach.limit) {
    case 'rss':
      return `${sample.rssBytes} bytes resident, ${breach.maxRssBytes} are allowed, ${since}`;
    case 'cpu':
      return `${Math.round(sample.cpuPercent ?? 0)} % of a core, ${breach.maxCpuPercent} are allowed, ${since}`;
  }
}
