import { mkdir } from 'node:fs/promises';
import {
  type Clock,
  createGuardedEmitter,
  InvalidInputError,
  type GuardedEmitter,
  type Logger,
  type NewId,
  parseOrThrow,
  type Random,
  randomId,
  silentLogger,
  systemClock,
  systemRandom,
} from '@buddy/core';
import { Bot, type BotExit, type ProcessIdentity } from '../bot/bot.ts';
import type { SupervisedBots } from '../bot/registry-port.ts';
import type { BotStatus } from '../bot/status.ts';
import type { UsageSample } from '../limits/limit-watch.ts';
import type { LogLine } from '../logs/log-line.ts';
import { type Probe, systemProbe } from '../probe/probe.ts';
import { endTree } from '../process/end-tree.ts';
import type { Processes } from '../process/processes.ts';
import { createSystemProcesses } from '../process/system-processes.ts';
import { UnknownBotError } from '../registry/errors.ts';
import { BotNotStartedError, SupervisorClosedError } from './errors.ts';
import type { SupervisorEvents } from './events.ts';
import { type SupervisorInput, SupervisorOptions } from './options.ts';
import type { BotPorts } from './ports.ts';
import { type Dependent, startOrder, stopOrder } from './start-order.ts';
import { SupervisedBot } from './supervised-bot.ts';

export interface SupervisorPorts {
  readonly clock?: Clock;
  readonly random?: Random;
  /** For the marks of trees: nobody else's process may carry the same. */
  readonly newId?: NewId;
  /** Where the variables come from that bots are handed. `process.env` when left out. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly processes?: Processes;
  readonly probe?: Probe;
  readonly logger?: Logger;
}

/** What a bot does now, for people and programs. */
export interface BotReport {
  readonly id: string;
  readonly role: Bot['role'];
  readonly status: BotStatus;
  readonly statusReason?: string | undefined;
  /** In ISO 8601. */
  readonly statusSince: string;
  readonly pid?: number | undefined;
  /** Since it was registered. */
  readonly restarts: number;
  readonly usage?: UsageSample | undefined;
  readonly lastExit?: BotExit | undefined;
  readonly isHandedOver: boolean;
}

/** What became of a bot that was to start. */
export type StartOutcome =
  | { readonly id: string; readonly isStarted: true }
  | { readonly id: string; readonly isStarted: false; readonly error: unknown };

export interface Supervisor {
  readonly events: GuardedEmitter<SupervisorEvents>['events'];
  /**
   * Adopts the bots that an earlier supervisor left running, and ends what is left of those that it did not. Every other call
   * waits for it, so that it need not be called.
   */
  open(): Promise<{ readonly adopted: readonly string[]; readonly buried: readonly string[] }>;
  /**
   * Starts what a bot depends on, then the bot. Resolves when it is ready, after restarts if need be.
   * @throws {BotNotStartedError} It was given up. @throws {DependencyCycleError} {UnknownDependencyError} {UnknownBotError}
   */
  start(id: string): Promise<void>;
  /** Stops what depends on a bot, then the bot. Resolves when nothing of them is left, with their ids in that order. */
  stop(id: string): Promise<readonly string[]>;
  /** Ends the bot and starts it again. What depends on it stays, as when it crashes. */
  restart(id: string): Promise<void>;
  /** Starts every bot that is not quarantined, at once, each after what it depends on. Never rejects for one that does not start. */
  startAll(): Promise<readonly StartOutcome[]>;
  /** Stops every bot, each before what it depends on. */
  stopAll(): Promise<void>;
  /** @throws {UnknownBotError} */
  status(id: string): Promise<BotReport>;
  statuses(): Promise<readonly BotReport[]>;
  /** The process of a bot; undefined when it has none. */
  identity(id: string): Promise<ProcessIdentity | undefined>;
  /** What a bot wrote last, oldest first; all that is kept when `last` is left out. */
  logs(id: string, options?: { last?: number | undefined }): Promise<readonly LogLine[]>;
  /** From now on somebody else restarts it: here it counts as temporary. */
  handOver(id: string): Promise<void>;
  /** Its own restart policy counts again. */
  takeBack(id: string): Promise<void>;
  /**
   * `stop`, the default, ends every bot; `leave` lets them run on for the next supervisor, for which `orphans` has to be `leave` too.
   */
  close(options?: { bots?: 'stop' | 'leave' }): Promise<void>;
}

/**
 * Starts, watches, restarts and ends the bots of a registry. Only one supervisor at a time may have a registry.
 * @throws {InvalidInputError} When an option does not fit. @throws {UnsupportedPlatformError} On Windows.
 * @example
 * const supervisor = createSupervisor({ registry });
 * supervisor.events.on('botExited', ({ botId, reason }) => console.log(botId, reason));
 * await supervisor.startAll();
 * await supervisor.close();
 */
export function createSupervisor(
  { registry, ...input }: SupervisorInput & { readonly registry: SupervisedBots },
  ports: SupervisorPorts = {},
): Supervisor {
  const options = parseOrThrow(SupervisorOptions, input, 'options of createSupervisor');
  const { logger = silentLogger } = ports;
  const { events, emit } = createGuardedEmitter<SupervisorEvents>((error, event) =>
    logger.error({ err: error, event }, 'A listener threw'),
  );
  const shared = {
    registry,
    processes: ports.processes ?? createSystemProcesses({ logger }),
    probe: ports.probe ?? systemProbe,
    clock: ports.clock ?? systemClock,
    random: ports.random ?? systemRandom,
    newId: ports.newId ?? randomId('bot'),
    environment: ports.environment ?? process.env,
    logger,
    emit,
    options,
  };
  return new OwnSupervisor(events, shared);
}

type Definitions = ReadonlyMap<string, Dependent>;

class OwnSupervisor implements Supervisor {
  readonly events: Supervisor['events'];
  readonly #ports: BotPorts;
  readonly #bots = new Map<string, SupervisedBot>();
  readonly #closing = new AbortController();
  #opened: ReturnType<Supervisor['open']> | undefined;
  #closed: Promise<void> | undefined;
  #sampling: Promise<void> | undefined;

  constructor(events: Supervisor['events'], ports: Omit<BotPorts, 'begun' | 'closing'>) {
    this.events = events;
    this.#ports = { ...ports, begun: () => this.#sample(), closing: this.#closing.signal };
  }

  open(): ReturnType<Supervisor['open']> {
    this.#opened ??= this.#takeOver();
    return this.#opened;
  }

  async start(id: string): Promise<void> {
    await this.#ready();
    const definitions = await this.#definitions(id);
    await this.#startAfter(id, definitions, new Map());
  }

  async stop(id: string): Promise<readonly string[]> {
    await this.#ready();
    await this.#supervised(id);
    const alive = [...this.#bots].filter(([other, bot]) => other === id || bot.isAlive);
    const order = stopOrder(id, new Map(alive.map(([other, { bot }]) => [other, bot])));
    for (const next of order) await this.#bots.get(next)?.end();
    await this.#recorded();
    return order;
  }

  async restart(id: string): Promise<void> {
    await this.#ready();
    const bot = await this.#supervised(id);
    await bot.end();
    await this.start(id);
  }

  async startAll(): Promise<readonly StartOutcome[]> {
    await this.#ready();
    const bots = (await this.#ports.registry.all()).map((bot) => ({
      bot,
      problem: problemOf(bot),
    }));
    const definitions = new Map(
      bots.map(({ bot, problem }) => [bot.id, problem ? withoutNeeds(bot.id) : bot]),
    );
    const starts = new Map<string, Promise<void>>();
    for (const { bot, problem } of bots) {
      if (problem) starts.set(bot.id, refusal(problem)); // also for those that depend on it
    }
    const wanted = bots.filter(({ bot }) => bot.status !== 'quarantined').map(({ bot }) => bot);
    return Promise.all(
      wanted.map(async ({ id }): Promise<StartOutcome> => {
        try {
          await this.#startAfter(id, definitions, starts);
          return { id, isStarted: true };
        } catch (error) {
          return { id, isStarted: false, error };
        }
      }),
    );
  }

  async stopAll(): Promise<void> {
    await this.#ready();
    await this.#stopEverything();
  }

  async status(id: string): Promise<BotReport> {
    await this.#ready();
    return reportOn(await this.#supervised(id));
  }

  async statuses(): Promise<readonly BotReport[]> {
    await this.#ready();
    const bots = await this.#ports.registry.all();
    return Promise.all(bots.map(async ({ id }) => reportOn(await this.#supervised(id))));
  }

  async identity(id: string): Promise<ProcessIdentity | undefined> {
    await this.#ready();
    return (await this.#supervised(id)).identity;
  }

  async logs(
    id: string,
    { last }: { last?: number | undefined } = {},
  ): Promise<readonly LogLine[]> {
    await this.#ready();
    return (await this.#supervised(id)).lines(last);
  }

  async handOver(id: string): Promise<void> {
    await this.#ready();
    (await this.#supervised(id)).handOver();
  }

  async takeBack(id: string): Promise<void> {
    await this.#ready();
    (await this.#supervised(id)).takeBack();
  }

  close({ bots = 'stop' }: { bots?: 'stop' | 'leave' } = {}): Promise<void> {
    this.#closed ??= this.#close(bots);
    return this.#closed;
  }

  async #close(bots: 'stop' | 'leave'): Promise<void> {
    this.#closing.abort(); // first, so that nothing begins while we wait
    await this.#opened?.catch(() => undefined); // whoever opened was told
    if (bots === 'leave' && this.#ports.options.orphans === 'leave') {
      await Promise.all([...this.#bots.values()].map((bot) => bot.leave()));
    } else {
      await this.#stopEverything();
    }
    await this.#sampling;
    await this.#recorded();
    await Promise.all([...this.#bots.values()].map((bot) => bot.flush()));
    await this.#ports.processes.close();
  }

  async #ready(): Promise<void> {
    if (this.#closing.signal.aborted) throw new SupervisorClosedError();
    await this.open();
    if (this.#closing.signal.aborted) throw new SupervisorClosedError();
  }

  async #takeOver(): ReturnType<Supervisor['open']> {
    const { registry, options } = this.#ports;
    if (options.logs) await mkdir(options.logs.folder, { recursive: true, mode: 0o700 });
    const marked = (await registry.all()).filter(({ mark }) => mark !== undefined);
    const outcomes = await Promise.all(
      marked.map(async (bot) => ({ id: bot.id, isAdopted: await this.#takeOverBot(bot) })),
    );
    const idsWhere = (isAdopted: boolean) =>
      outcomes.filter((outcome) => outcome.isAdopted === isAdopted).map(({ id }) => id);
    return { adopted: idsWhere(true), buried: idsWhere(false) };
  }

  async #takeOverBot(bot: Bot): Promise<boolean> {
    const { processes, clock } = this.#ports;
    const { mark = '', process: identity, status, deployment } = bot;
    const supervised = this.#supervise(bot);
    const signs = supervised.newSigns();
    const isWanted = status === 'starting' || status === 'running' || status === 'degraded';
    const tree =
      identity &&
      (await clock.external(() =>
        processes.adopt({
          identity,
          mark,
          stopGraceMs: deployment.stopGraceMs,
          outputFiles: supervised.outputFiles(),
          onOutput: (stream, bytes) => supervised.onOutput(stream, bytes),
        }),
      ));
    if (tree && isWanted) {
      supervised.adopt(tree, signs);
      return true;
    }
    const remains = tree ?? (await processes.remains(mark));
    const survivors = await remains.survivors();
    const stuck = await endTree(remains, {
      graceMs: deployment.stopGraceMs,
      monotonic: () => clock.monotonic(),
      sleep: (ms) => clock.sleep(ms),
    });
    remains.release();
    await supervised.bury(survivors, stuck);
    return false;
  }

  async #startAfter(
    id: string,
    definitions: Definitions,
    starts: Map<string, Promise<void>>,
  ): Promise<void> {
    const known = starts.get(id);
    if (known) return known;
    const order = startOrder(id, definitions); // refuses circles before anything runs
    const start = (async () => {
      const dependencies = order.filter((other) => other !== id);
      for (const other of dependencies) await this.#startAfter(other, definitions, starts);
      const bot = await this.#supervised(id);
      await bot.start();
    })();
    starts.set(id, start);
    return start;
  }

  async #stopEverything(): Promise<void> {
    const alive = [...this.#bots.values()].filter(({ isAlive }) => isAlive).map(({ bot }) => bot);
    const definitions = new Map(alive.map((bot) => [bot.id, bot]));
    const order = new Set(alive.flatMap(({ id }) => stopOrder(id, definitions)));
    const stops = new Map<string, Promise<void>>();
    for (const id of order) {
      const dependents = alive.filter(({ deployment }) => deployment.dependsOn.includes(id));
      const before = dependents.map((bot) => stops.get(bot.id) ?? Promise.resolve());
      stops.set(
        id,
        Promise.all(before).then(() => this.#stopIfAlive(id)),
      );
    }
    await Promise.all(stops.values());
    await this.#recorded();
  }

  async #recorded(): Promise<void> {
    await Promise.all([...this.#bots.values()].map((bot) => bot.recorded()));
  }

  /** One that has been quarantined meanwhile stays so: what it waits for is a person. */
  async #stopIfAlive(id: string): Promise<void> {
    const bot = this.#bots.get(id);
    if (bot?.isAlive) await bot.end();
  }

  /** The bot that is to start and those it may need. */
  async #definitions(id: string): Promise<Definitions> {
    const bot = await this.#ports.registry.get(id);
    if (!bot) throw new UnknownBotError(id);
    if (bot.deployment.dependsOn.length === 0) return new Map([[id, bot]]);
    return new Map((await this.#ports.registry.all()).map((other) => [other.id, other]));
  }

  async #supervised(id: string): Promise<SupervisedBot> {
    const known = this.#bots.get(id);
    if (known) return known;
    const bot = await this.#ports.registry.get(id);
    if (!bot) throw new UnknownBotError(id);
    return this.#bots.get(id) ?? this.#supervise(parseOrThrow(Bot, bot, `bot ${id}`));
  }

  #supervise(bot: Bot): SupervisedBot {
    const supervised = new SupervisedBot(bot, this.#ports);
    this.#bots.set(bot.id, supervised);
    return supervised;
  }

  #sample(): void {
    this.#sampling ??= this.#sampleWhileAlive();
  }

  async #sampleWhileAlive(): Promise<void> {
    const { clock, processes, options, logger } = this.#ports;
    while ([...this.#bots.values()].some(({ isAlive }) => isAlive)) {
      try {
        await clock.sleep(options.sampleEveryMs, this.#closing.signal);
        const running = [...this.#bots.values()].flatMap((bot) =>
          bot.tree ? [{ bot, tree: bot.tree }] : [],
        );
        const usages = await clock.external(() => processes.usage(running.map(({ tree }) => tree)));
        for (const [index, { bot }] of running.entries()) {
          const usage = usages[index];
          if (usage && bot.tree === running[index]?.tree) bot.observe(usage);
        }
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        logger.error({ err: error }, 'What bots use could not be looked at');
      }
    }
    this.#sampling = undefined; // in the same turn in which nobody was alive
  }
}

function reportOn(supervised: SupervisedBot): BotReport {
  const { bot, statusReason, identity, usage, isHandedOver } = supervised;
  const { id, role, status, statusSince, restarts, lastExit } = bot;
  const pid = identity?.pid;
  return {
    id,
    role,
    status,
    statusReason,
    statusSince,
    pid,
    restarts,
    usage,
    lastExit,
    isHandedOver,
  };
}

/** Why a bot cannot be started by anybody but a person: what is written about it is wrong, or it crashed too often. */
function problemOf(bot: Bot): Error | undefined {
  try {
    const {
      id,
      status,
      statusReason = 'it crashed too often',
    } = parseOrThrow(Bot, bot, `bot ${bot.id}`);
    return status === 'quarantined' ? new BotNotStartedError(id, status, statusReason) : undefined;
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
}

function withoutNeeds(id: string): Dependent {
  return { id, deployment: { dependsOn: [] } };
}

function refusal(problem: Error): Promise<never> {
  const refused = Promise.reject(problem);
  refused.catch(() => undefined); // nobody need depend on it
  return refused;
}
