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
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import type { ActivityResult } from '../durable/durable-context.ts';
import type { Engine } from '../durable/engine.ts';
import { createEngine } from '../durable/local-engine.ts';
import type { AskedEngine } from '../engine-socket/open-engine-socket.ts';
import { HarnessMisuseError } from '../errors.ts';
import type { Heal } from '../execution/heal.ts';
import { refuseDangerousTools, refuseNamesakes } from '../execution/refuse-tools.ts';
import { createFeedbackLoop, type FeedbackLoop } from '../feedback/feedback-loop.ts';
import {
  type AgentManager,
  createAgentManager,
  type LoadSummary,
} from '../manager/agent-manager.ts';
import { createMonitor, type Monitor } from '../monitor/monitor.ts';
import { type Fact, VERDICT_TOPIC, type Verdict } from '../orchestration/facts.ts';
import { MemoryOutput } from '../output/memory-output.ts';
import type { Output } from '../output/output.ts';
import type { PredictionSource } from '../prediction/load.ts';
import type { ReportSection } from '../report/sections.ts';
import type { ActiveRun } from './active-run.ts';
import { createHarnessEmitter, type HarnessEvents } from './events.ts';
import { findRun } from './find-run.ts';
import { HarnessOptions, type HarnessInput } from './options.ts';
import { prepareRun, type RunParts } from './prepare-run.ts';
import { RunEnding } from './run-ending.ts';
import { RunFiles } from './run-files.ts';
import type { RunResult } from './run-result.ts';
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
  readonly #files: RunFiles;
  readonly #ending: RunEnding;
  #runId: string;
  readonly #parts: RunParts;
  #sources: readonly string[] = [];
  #run: ActiveRun | undefined;
  #isRestoring = false;

  constructor(options: HarnessOptions, ports: HarnessPorts) {
    const { tools, clock = systemClock, logger = silentLogger, newId = randomId('run') } = ports;
    const { random = seededRandom(options.seed) } = ports;
    refuseDangerousTools(tools, options);
    refuseNamesakes(tools);
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#engine = ports.engine ?? createEngine({ clock });
    this.#runId = newId();
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
    const { manager, monitor, feedback, output } = this;
    this.#parts = {
      manager,
      feedback,
      monitor,
      output,
      clock,
      tools: new Map(tools.map((tool) => [tool.name, tool])),
      emit,
      engine: this.#engine,
      heal: ports.heal,
    };
    const { notes = [], sections = () => [] } = ports;
    this.#ending = new RunEnding({
      ...this.#parts,
      logger,
      files: this.#files,
      known: async () => ({
        clockKind: clock instanceof ManualClock ? 'manual' : 'real',
        loaded: manager.loaded,
        sources: this.#sources,
        learning: feedback.learning,
        notes,
        sections: await sections(),
      }),
    });
    monitor.events.on('anomalyDetected', (event) => {
      if (!this.#isRestoring) emit('anomalyDetected', { runId: this.#runId, ...event });
    });
    monitor.events.on('healthChanged', (event) => {
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
    const runId = this.#runId;
    const run = prepareRun({ runId, waves, startedAt }, this.#options, this.#parts);
    return this.#carryOut(run, signal, async () => {
      const { policy } = run;
      this.#parts.emit('runStarted', { at: startedAt, runId, waves, tasks: taskCount });
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
    const run = prepareRun({ runId, waves, startedAt }, this.#options, this.#parts);
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
        throw await this.#ending.failed(run, error);
      }
      return await this.#ending.standStill(run);
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
    return this.#ending.standStill(run);
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
    this.#ending
      .standStill(run)
      .catch((error: unknown) =>
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
}

function reasonOf(signal: AbortSignal | undefined): string {
  return describeFailure(signal?.reason).message;
}
