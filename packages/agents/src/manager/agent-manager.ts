import { createHash } from 'node:crypto';
import { type Interval, median, parseOrThrow, wilsonInterval } from '@buddy/core';
import { HarnessMisuseError } from '../errors.ts';
import { type Learning, NOTHING_LEARNT } from '../feedback/learning.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlannableTask } from '../plan/task-order.ts';
import {
  type LoadedPredictions,
  loadPredictions,
  type PredictionSource,
} from '../prediction/load.ts';
import type { LoadProblem } from '../prediction/load-problem.ts';
import { CODE_ACTION, type Prediction } from '../prediction/prediction.ts';
import { isScored, isSuccess, type Outcome } from '../task/outcome.ts';
import { AgentManagerOptions, type AgentManagerInput, type AgentOptions } from './options.ts';

/** A task as the manager hands it on: all its blanks filled in. */
export interface PlannedTask extends PlannableTask {
  wave: number;
  input: unknown;
  plannedAgentId: string | null;
  isControl: boolean;
  heuristics: readonly string[];
  successProbability: number;
  /** Also on tasks of earlier waves. */
  allDependsOn: readonly string[];
  /** Why it is not to be done; undefined when it is. */
  impossible: { code: string; message: string } | undefined;
}

export interface WavePlan {
  plan: Plan;
  /** All tasks of the wave, those that cannot be done too. */
  tasks: readonly PlannedTask[];
}

/** What an agent did, from its outcomes alone. */
export interface AgentPerformance {
  agentId: string;
  completed: number;
  /** Failed or timed out. */
  failed: number;
  /** NaN when nothing was scored. */
  successRate: number;
  /** 95 % Wilson interval of the success rate; null when nothing was scored. */
  interval: Interval | null;
  /** Of the last attempts, in ms; NaN when nothing was scored. */
  medianDurationMs: number;
}

export interface LoadSummary {
  taskCount: number;
  /** Ascending. */
  waves: readonly number[];
  problems: readonly LoadProblem[];
}

/** Loads predictions and plans who does what. */
export interface AgentManager {
  readonly agents: readonly AgentOptions[];
  /** What was loaded last. */
  readonly loaded: LoadSummary;
  /**
   * Reads predictions; replaces what was loaded before.
   * @throws {PredictionsUnreadableError} When a folder does not hold `predicted_tasks.jsonl`.
   */
  load(source: PredictionSource): Promise<LoadSummary>;
  /**
   * Shares out the tasks of a wave.
   * @param options.learning What earlier waves taught; nothing when left out.
   * @param options.hasTool Whether an action can be done at all; everything can when left out.
   * @throws {HarnessMisuseError} When no such wave was loaded.
   */
  planWave(wave: number, options?: PlanWaveOptions): WavePlan;
  /** Whether other tasks depend on this one. */
  isAwaited(taskId: string): boolean;
  /** SHA-256 of all predictions that were loaded and not released, for whoever must know that they are the same again. */
  fingerprint(): string;
  /** Forgets a wave's tasks, to make room. */
  release(wave: number): void;
  /** Who succeeded how often, and how fast; in the order of the agents. */
  evaluatePerformance(outcomes: readonly Outcome[]): readonly AgentPerformance[];
}

export interface PlanWaveOptions {
  learning?: Learning;
  hasTool?: (action: string) => boolean;
}

/** For tasks of which nothing is known: one second. */
const UNKNOWN_DURATION_MS = 1_000;

/**
 * @example
 * const manager = createAgentManager({ strategy: 'load_balanced' });
 * await manager.load('examples/data/phase20');
 * const { plan } = manager.planWave(1);
 */
export function createAgentManager(input: AgentManagerInput = {}): AgentManager {
  return new Manager(parseOrThrow(AgentManagerOptions, input, 'options of createAgentManager'));
}

class Manager implements AgentManager {
  readonly agents: readonly AgentOptions[];
  readonly #options: AgentManagerOptions;
  #loaded: LoadedPredictions = {
    taskCount: 0,
    waves: new Map(),
    problems: [],
    impossible: new Map(),
    awaited: new Set(),
  };
  #summary: LoadSummary = { taskCount: 0, waves: [], problems: [] };

  constructor(options: AgentManagerOptions) {
    this.#options = options;
    this.agents = options.agents;
  }

  get loaded(): LoadSummary {
    return this.#summary;
  }

  async load(source: PredictionSource): Promise<LoadSummary> {
    this.#loaded = await loadPredictions(source, { defaultAction: this.#options.defaultAction });
    const { taskCount, waves, problems } = this.#loaded;
    this.#summary = { taskCount, waves: [...waves.keys()], problems };
    return this.#summary;
  }

  planWave(wave: number, { learning = NOTHING_LEARNT, hasTool }: PlanWaveOptions = {}): WavePlan {
    const predictions = this.#loaded.waves.get(wave);
    if (!predictions) {
      const known = [...this.#loaded.waves.keys()].join(', ') || 'none';
      throw new HarnessMisuseError(`Wave ${wave} is not loaded; loaded waves: ${known}`);
    }
    const tasks = this.#fillIn(predictions, learning, hasTool);
    const { strategy, controlShare, seed } = this.#options;
    const plan = makePlan({
      wave,
      tasks: tasks.filter(({ impossible }) => !impossible),
      agents: this.agents.map(({ id, capacity }) => ({
        agentId: id,
        capacity,
        speed: learning.speed(id),
      })),
      strategy,
      learning,
      controlShare,
      seed,
    });
    const agentOf = new Map(
      plan.agents.flatMap(({ agentId, taskIds }) => taskIds.map((id) => [id, agentId] as const)),
    );
    const controls = new Set(plan.controlTaskIds);
    for (const task of tasks) {
      task.plannedAgentId = agentOf.get(task.taskId) ?? null;
      task.isControl = controls.has(task.taskId);
    }
    return { plan, tasks };
  }

  isAwaited(taskId: string): boolean {
    return this.#loaded.awaited.has(taskId);
  }

  fingerprint(): string {
    const hash = createHash('sha256');
    for (const [wave, predictions] of this.#loaded.waves) {
      hash.update(`${wave}\n`);
      for (const prediction of predictions) hash.update(`${JSON.stringify(prediction)}\n`);
    }
    return hash.digest('hex');
  }

  release(wave: number): void {
    this.#loaded.waves.delete(wave);
  }

  evaluatePerformance(outcomes: readonly Outcome[]): readonly AgentPerformance[] {
    return this.agents.map(({ id: agentId }) => {
      const scored = outcomes.filter((outcome) => outcome.agentId === agentId && isScored(outcome));
      const completed = scored.filter(isSuccess).length;
      const isEmpty = scored.length === 0;
      return {
        agentId,
        completed,
        failed: scored.length - completed,
        successRate: isEmpty ? Number.NaN : completed / scored.length,
        interval: isEmpty ? null : wilsonInterval(completed, scored.length),
        medianDurationMs: isEmpty ? Number.NaN : median(scored.map(({ attemptMs }) => attemptMs)),
      };
    });
  }

  #fillIn(
    predictions: readonly Prediction[],
    learning: Learning,
    hasTool: ((action: string) => boolean) | undefined,
  ): PlannedTask[] {
    const durations = typicalDurations(predictions, learning);
    const toDo = new Set<string>();
    const tasks = predictions.map((prediction): PlannedTask => {
      const { taskId, wave, priority, confidence, heuristics, successProbability } = prediction;
      const action = prediction.action ?? '';
      const cycle = this.#loaded.impossible.get(taskId);
      const impossible =
        cycle !== undefined
          ? { code: 'AGENTS_DEPENDENCY_IMPOSSIBLE', message: cycle }
          : missingTool(action, hasTool);
      if (!impossible) toDo.add(taskId);
      return {
        taskId,
        wave,
        action,
        input: prediction.input,
        priority,
        confidence,
        heuristics,
        successProbability,
        calibratedProbability: learning.calibrate(successProbability, action),
        durationMs: prediction.durationMs ?? durations(action),
        dependsOn: [],
        allDependsOn: prediction.dependsOn,
        plannedAgentId: null,
        isControl: false,
        impossible,
      };
    });
    // The plan knows only of what is done in this wave; the queue looks after the rest.
    for (const task of tasks) {
      if (task.allDependsOn.length === 0) continue;
      task.dependsOn = task.allDependsOn.filter((id) => toDo.has(id));
    }
    return tasks;
  }
}

function missingTool(
  action: string,
  hasTool: ((action: string) => boolean) | undefined,
): { code: string; message: string } | undefined {
  if (!hasTool || hasTool(action)) return undefined;
  const message = action === CODE_ACTION ? 'no sandbox' : `no tool is named ${action}`;
  return { code: 'AGENTS_UNKNOWN_TOOL', message };
}

/** The usual duration of an action: as learnt, else as predicted for others like it, else for any. */
function typicalDurations(
  predictions: readonly Prediction[],
  learning: Learning,
): (action: string) => number {
  if (predictions.every(({ durationMs }) => durationMs !== undefined))
    return () => UNKNOWN_DURATION_MS;
  const known = new Map<string, number[]>();
  const all: number[] = [];
  for (const { action = '', durationMs } of predictions) {
    if (durationMs === undefined) continue;
    all.push(durationMs);
    const same = known.get(action);
    if (same) same.push(durationMs);
    else known.set(action, [durationMs]);
  }
  const overall = all.length > 0 ? median(all) : UNKNOWN_DURATION_MS;
  const predicted = new Map([...known].map(([action, durations]) => [action, median(durations)]));
  return (action) => learning.typicalDurationMs(action) ?? predicted.get(action) ?? overall;
}
