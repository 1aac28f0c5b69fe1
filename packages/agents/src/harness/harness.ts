import { basename, resolve } from 'node:path';
import {
  type Clock,
  describeFailure,
  type Logger,
  ManualClock,
  type NewId,
  parseOrThrow,
  type Random,
  randomId,
  seededRandom,
  silentLogger,
  systemClock,
  type Tool,
  type GuardedEmitter,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import type { ActivityResult } from '../durable/durable-context.ts';
import type { Engine } from '../durable/engine.ts';
import { createEngine } from '../durable/local-engine.ts';
import type { AskedEngine } from '../engine-socket/open-engine-socket.ts';
import { HarnessMisuseError, RunFailedError } from '../errors.ts';
import { supportTools } from '../execution/support-tools.ts';
import { refuseDangerousTools } from '../execution/refuse-tools.ts';
import { createFeedbackLoop, type FeedbackLoop } from '../feedback/feedback-loop.ts';
import {
  type AgentManager,
  createAgentManager,
  type LoadSummary,
} from '../manager/agent-manager.ts';
import { createMonitor, type Monitor } from '../monitor/monitor.ts';
import { type Fact, VERDICT_TOPIC, type Verdict } from '../orchestration/facts.ts';
import { parkedWorkflow } from '../orchestration/parked.ts';
import type { TaskPolicy } from '../orchestration/policy.ts';
import { runWorkflow } from '../orchestration/run.ts';
import { retryWorkflow } from '../orchestration/retry.ts';
import { slotWorkflow } from '../orchestration/slot.ts';
import { MemoryOutput } from '../output/memory-output.ts';
import type { Output } from '../output/output.ts';
import type { PredictionSource } from '../prediction/load.ts';
import type { ReportSection } from '../report/sections.ts';
import { pickRetryOptions } from '../task/retry-options.ts';
import { createHarnessEmitter, type HarnessEvents } from './events.ts';
import type { Heal } from '../execution/heal.ts';
import { HarnessOptions, type HarnessInput } from './options.ts';
import { RunFiles } from './run-files.ts';
import { RunHost } from './run-host.ts';
import { ActiveRun } from './active-run.ts';
import { createRunObserver } from './run-observer.ts';
import type { RunResult, RunStatus } from './run-result.ts';
import { VerdictSchema } from './verdict.ts';

export interface HarnessPorts {
  /** What tasks can do. Tier 3 tools must be governed, unless `allowUngoverned`. */
  tools: readonly Tool[];
  clock?: Clock;
  /** Default: seeded with the option `seed`. */
  random?: Random;
  /** Where the run writes. Default: memory. */
  output?: Output;
  /** Asked when a task has failed for good. Default: nobody. */
  heal?: Heal;
  newId?: NewId;
  logger?: Logger;
  /** Default: in memory. */
  engine?: Engine;
  /** Sentences for the report that only the caller knows. */
  notes?: readonly string[];
  /**
   * Sections for the report that only the caller knows; asked each time a report is written, when all tasks have ended or
   * wait. The report waits for them.
   */
  sections?: () => readonly ReportSection[] | Promise<readonly ReportSection[]>;
}

/** Runs waves of predicted tasks over many agents, and learns from wave to wave. */
export interface Harness {
  readonly events: EventEmitter<HarnessEvents>;
  readonly manager: AgentManager;
  readonly feedback: FeedbackLoop;
  readonly monitor: Monitor;
  readonly output: Output;
  /** Reads predictions; see AgentManager. */
  load(source: PredictionSource): Promise<LoadSummary>;
  /**
   * Runs what was loaded. Resolves when every task has ended, or only such are left that wait for people, or it was
   * aborted; then the files are whole.
   * @throws {HarnessMisuseError} When nothing was loaded, or it ran before.
   * @throws {RunFailedError} When the run itself failed: a file that could not be written, say. Never for a task.
   */
  run(options?: { signal?: AbortSignal }): Promise<RunResult>;
  /**
   * Goes on with the run that an earlier process left in the engine's store, with the same predictions loaded and the same
   * agents. Plans, counts and files are brought to where they were, from what is in the store; `output` is to be empty.
   * Listeners hear of what happens from now on. Resolves as `run` does.
   * @throws {HarnessMisuseError} When the engine has no such run, it is over, or the predictions are not the same.
   * @throws {RunFailedError} As `run`.
   */
  resume(options?: { signal?: AbortSignal }): Promise<RunResult>;
  /**
   * Tells what a person decided about a task that waits. Resolves when that has been carried out, and again only waiting
   * tasks, or none, are left. When nobody decides within `verdictTimeoutMs`, the task ends as denied, or as failed when it
   * may have happened; files and `runCompleted` tell.
   * @throws {HarnessMisuseError} When the task does not wait, was decided already, or the run has ended.
   * @throws {InvalidInputError} When the verdict is none.
   */
  decide(taskId: string, verdict: Verdict): Promise<RunResult>;
  /**
   * What other processes may ask of the run, for `openEngineSocket`: whoever cancels the run's workflow stops the run, as an
   * abort of its signal does.
   */
  readonly control: AskedEngine;
  /** Lets go of files and timers. */
  close(): Promise<void>;
}

/**
 * @example
 * const harness = createHarness({ agents: [{ id: 'ada' }] }, { tools: [findContact] });
 * await harness.load('examples/data/phase20');
 * const { status, counts } = await harness.run();
 * @throws {InvalidInputError} When an option does not fit.
 * @throws {ToolRefusedError} When a tool is of tier 4, or of tier 3 and not governed.
 * @throws {HarnessMisuseError} When two tools have the same name.
 */
export function createHarness(input: HarnessInput, ports: HarnessPorts): Harness {
  return new WaveHarness(parseOrThrow(HarnessOptions, input, 'options of createHarness'), ports);
}

class WaveHarness implements Harness {
  readonly events: EventEmitter<HarnessEvents>;
  readonly manager: AgentManager;
  readonly feedback: FeedbackLoop;
  readonly monitor: Monitor;
  readonly output: Output;
  readonly #options: HarnessOptions;
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #logger: Logger;
  readonly #heal: Heal | undefined;
  readonly #notes: readonly string[];
  readonly #sections: NonNullable<HarnessPorts['sections']>;
  readonly #files: RunFiles;
  #runId: string;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #emit: GuardedEmitter<HarnessEvents>['emit'];
  #sources: readonly string[] = [];
  #run: ActiveRun | undefined;
  #isRestoring = false;
  #standingStill: Promise<RunResult> | undefined;

  constructor(options: HarnessOptions, ports: HarnessPorts) {
    const { tools, clock = systemClock, logger = silentLogger, newId = randomId('run') } = ports;
    const { random = seededRandom(options.seed) } = ports;
    refuseDangerousTools(tools, options);
    refuseNamesakes(tools);
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#engine = ports.engine ?? createEngine({ clock });
    this.#heal = ports.heal;
    this.#notes = ports.notes ?? [];
    this.#sections = ports.sections ?? (() => []);
    this.#runId = newId();
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    const { agents, strategy, controlShare, seed, defaultAction } = options;
    const managing = { agents, strategy, controlShare, seed };
    this.manager = createAgentManager(
      defaultAction === undefined ? managing : { ...managing, defaultAction },
    );
    this.feedback = createFeedbackLoop({}, { random: random.child('feedback') });
    this.monitor = createMonitor({}, { random: random.child('monitor') });
    this.output = ports.output ?? new MemoryOutput();
    this.#files = new RunFiles(this.output, options);
    const { events, emit } = createHarnessEmitter(logger);
    this.events = events;
    this.#emit = emit;
    this.monitor.events.on('anomalyDetected', (event) => {
      if (!this.#isRestoring) emit('anomalyDetected', { runId: this.#runId, ...event });
    });
    this.monitor.events.on('healthChanged', (event) => {
      if (!this.#isRestoring) emit('healthChanged', { runId: this.#runId, ...event });
    });
  }

  async load(source: PredictionSource): Promise<LoadSummary> {
    if (this.#run) throw new HarnessMisuseError('Load before run(), not while or after it');
    this.#sources = typeof source === 'string' ? [basename(resolve(source))] : [];
    return this.#clock.external(() => this.manager.load(source));
  }

  async run({ signal }: { signal?: AbortSignal } = {}): Promise<RunResult> {
    if (this.#run)
      throw new HarnessMisuseError('A harness runs once; make another for another run');
    const { waves: loaded, taskCount } = this.manager.loaded;
    if (taskCount === 0)
      throw new HarnessMisuseError(
        'Nothing to run: call load() first, with at least one good line',
      );
    const waves = this.#chooseWaves(loaded);
    const startedAt = this.#clock.now();
    const fingerprint = this.#engine.isDurable ? this.manager.fingerprint() : undefined;
    const run = this.#prepare(waves, startedAt);
    return this.#carryOut(run, signal, async () => {
      const { policy } = run;
      const { runId } = policy;
      this.#emit('runStarted', { at: startedAt, runId, waves, tasks: taskCount });
      const began =
        fingerprint === undefined
          ? undefined
          : ({ kind: 'runBegan', runId, startedAt, waves, fingerprint } as const);
      await run.start({ waves, policy, ...(began && { began }) });
    });
  }

  async resume({ signal }: { signal?: AbortSignal } = {}): Promise<RunResult> {
    if (this.#run)
      throw new HarnessMisuseError('A harness runs once; make another for another run');
    const { runId, startedAt, waves, fingerprint, cancelReason } = await findRun(this.#engine);
    if (fingerprint !== this.manager.fingerprint()) {
      throw new HarnessMisuseError(
        `Run ${runId} began with other predictions than those that are loaded; load the same, or begin another run`,
      );
    }
    this.#runId = runId;
    const run = this.#prepare(waves, startedAt);
    return this.#carryOut(run, signal, async () => {
      this.#isRestoring = true;
      for await (const entry of this.#engine.history<Fact, ActivityResult<unknown>>()) {
        await run.restore(entry);
      }
      this.#isRestoring = false;
      if (cancelReason !== null) run.cancel(cancelReason);
      await run.resume();
    });
  }

  async #carryOut(
    run: ActiveRun,
    signal: AbortSignal | undefined,
    begin: () => Promise<void>,
  ): Promise<RunResult> {
    this.#run = run;
    this.#engine.subscribe((fact: Fact, at) => this.#onFact(run, fact, at));
    const abort = () => run.cancel(reasonOf(signal));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      try {
        await this.#files.writeStart(run, this.manager.loaded);
        await begin();
      } catch (error) {
        throw await this.#failed(run, error);
      }
      return await this.#standStill(run);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async decide(taskId: string, verdict: Verdict): Promise<RunResult> {
    const checked = parseOrThrow(VerdictSchema, verdict, `verdict on task ${taskId}`);
    const run = this.#run;
    const waiting = run?.host.waiting.get(taskId);
    if (!run || !waiting) {
      const ids = [...(run?.host.waiting.keys() ?? [])].slice(0, 10).join(', ') || 'none';
      throw new HarnessMisuseError(`Task ${taskId} does not wait for anybody; waiting: ${ids}`);
    }
    if (run.hasEnded) {
      throw new HarnessMisuseError(`Task ${taskId} cannot be decided any more: the run has ended`);
    }
    if (run.isDeciding(waiting.parkedId)) {
      throw new HarnessMisuseError(`Task ${taskId} was decided already; that is being carried out`);
    }
    await run.decide(waiting.parkedId, checked);
    return this.#standStill(run);
  }

  get control(): AskedEngine {
    const engine = this.#engine;
    return {
      signal: async (id, topic, value, options) => {
        if (topic === VERDICT_TOPIC) parseOrThrow(VerdictSchema, value, `verdict for ${id}`);
        await engine.signal(id, topic, value, options);
      },
      cancel: (id, reason) => {
        const run = this.#run;
        return run?.policy.runId === id && !run.hasEnded
          ? run.cancelDurably(reason)
          : engine.cancel(id, reason);
      },
      list: () => engine.list(),
    };
  }

  async close(): Promise<void> {
    this.#run?.abandon();
    await this.#engine.close();
    await this.output.close();
  }

  #onFact(run: ActiveRun, fact: Fact, at: number): void {
    const isExpiry = fact.kind === 'verdictTaken' && run.isStill && !run.hasEnded;
    run.onFact(fact, at);
    if (!isExpiry) return;
    // Nobody asked, so nobody but the log hears when it goes wrong.
    this.#standStill(run).catch((error: unknown) =>
      this.#logger.error({ err: error }, 'What became of an undecided task was not written'),
    );
  }

  #chooseWaves(loaded: readonly number[]): readonly number[] {
    const { waves } = this.#options;
    if (!waves) return loaded;
    const chosen = loaded.filter((wave) => wave >= waves.from && wave <= waves.to);
    if (chosen.length > 0) return chosen;
    throw new HarnessMisuseError(
      `No wave from ${waves.from} to ${waves.to} is loaded; there are ${loaded.join(', ')}`,
    );
  }

  #prepare(waves: readonly number[], startedAt: number): ActiveRun {
    const { verdictTimeoutMs, seed, agents } = this.#options;
    const policy: TaskPolicy = {
      ...pickRetryOptions(this.#options),
      runId: this.#runId,
      verdictTimeoutMs,
      seed,
      canHeal: this.#heal !== undefined,
    };
    const observer = createRunObserver(startedAt, agents);
    const { manager, feedback, monitor, output } = this;
    const host: RunHost = new RunHost(this.#runId, {
      manager,
      feedback,
      monitor,
      output,
      clock: this.#clock,
      tools: this.#tools,
      emit: this.#emit,
      observer,
      onBroken: (error) => run.break(error),
    });
    const run = new ActiveRun({
      host,
      observer,
      policy,
      engine: this.#engine,
      waves,
      startedAt,
    });
    this.#engine.register({
      workflows: {
        run: runWorkflow,
        slot: slotWorkflow,
        retry: retryWorkflow,
        parked: parkedWorkflow,
      },
      tools: [
        ...this.#tools.values(),
        ...host.systemTools(),
        ...supportTools(this.#tools, this.#heal),
      ],
      providers: this.#options.rateLimits,
      lanes: Object.fromEntries(agents.map(({ id, capacity }) => [id, capacity])),
    });
    return run;
  }

  /** Waits until there is nothing more to do without people; whoever asks meanwhile gets the same answer. */
  #standStill(run: ActiveRun): Promise<RunResult> {
    this.#standingStill ??= this.#settleRun(run).finally(() => (this.#standingStill = undefined));
    return this.#standingStill;
  }

  async #settleRun(run: ActiveRun): Promise<RunResult> {
    try {
      for (;;) {
        await run.standStill();
        const result = await this.#writeEnd(run);
        if (run.isStill) return result; // else somebody decided while it was written
      }
    } catch (error) {
      throw await this.#failed(run, error);
    }
  }

  async #writeEnd(run: ActiveRun): Promise<RunResult> {
    const result = this.#resultOf(run);
    const { runId, status, counts, endedAt: at } = result;
    await this.#files.writeEnd(run, result, {
      clockKind: this.#clock instanceof ManualClock ? 'manual' : 'real',
      loaded: this.manager.loaded,
      sources: this.#sources,
      learning: this.feedback.learning,
      notes: this.#notes,
      sections: await this.#sections(),
    });
    this.#logger.info({ runId, status, counts }, 'The run has ended');
    if (run.hasEnded && run.wasBegun) await this.#engine.compact(runId);
    this.#emit('runCompleted', { at, runId, result });
    return result;
  }

  /** As well as can be: when it was the output that failed, this fails too, and the first failure is what counts. */
  async #failed(run: ActiveRun, error: unknown): Promise<RunFailedError> {
    const { runId } = run.policy;
    this.#logger.error({ err: error, runId }, 'The run failed');
    const failed =
      error instanceof RunFailedError
        ? error
        : new RunFailedError(describeFailure(error), { cause: error });
    try {
      await this.#files.writeFailure(run, failed.failure);
    } catch (writeError) {
      this.#logger.error({ err: writeError, runId }, 'That the run failed could not be written');
    }
    return failed;
  }

  #resultOf(run: ActiveRun): RunResult {
    const { host, waves, startedAt, cancelReason } = run;
    const { counts, wavesDone, waiting } = host;
    const status: RunStatus =
      cancelReason !== undefined ? 'cancelled' : counts.waiting > 0 ? 'waiting' : 'completed';
    return {
      runId: this.#runId,
      status,
      startedAt,
      endedAt: this.#clock.now(),
      tasks: Object.values(counts).reduce((sum, count) => sum + count, 0),
      counts: { ...counts },
      waves: [...wavesDone],
      unfinishedWaves: waves.filter((wave) => !wavesDone.includes(wave)),
      health: this.monitor.health(),
      waiting: [...waiting.values()].map(({ outcome, approvalId, why }) => ({
        taskId: outcome.taskId,
        approvalId,
        why,
      })),
      problems: this.manager.loaded.problems.length,
    };
  }
}

type BegunRun = Extract<Fact, { kind: 'runBegan' }> & { cancelReason: string | null };

/** @throws {HarnessMisuseError} When there is none to go on with. */
async function findRun(engine: Engine): Promise<BegunRun> {
  for await (const { id, workflow, cancelReason } of engine.list()) {
    if (workflow !== 'run') continue;
    for await (const { workflowId, kind, value } of engine.history<Fact, { kind: never }>()) {
      if (workflowId === id && kind === 'told' && value.kind === 'runBegan') {
        return { ...value, cancelReason };
      }
    }
    throw new HarnessMisuseError(`Run ${id} is over; there is nothing to go on with`);
  }
  throw new HarnessMisuseError('The engine has no run to go on with; call run() to begin one');
}

function refuseNamesakes(tools: readonly Tool[]): void {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) throw new HarnessMisuseError(`Two tools are named ${name}; take one out`);
    names.add(name);
  }
}

function reasonOf(signal: AbortSignal | undefined): string {
  return describeFailure(signal?.reason).message;
}
