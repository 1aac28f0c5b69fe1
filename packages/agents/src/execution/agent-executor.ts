import {
  type Clock,
  type Logger,
  type NewId,
  parseOrThrow,
  randomId,
  silentLogger,
  systemClock,
  type Tool,
  createGuardedEmitter,
  type GuardedEmitter,
} from '@buddy/core';
import type { EventEmitter } from 'eventemitter3';
import { z } from 'zod';
import type { Workflow } from '../durable/durable-context.ts';
import type { Engine } from '../durable/engine.ts';
import type { Lane } from '../durable/lane.ts';
import { createEngine } from '../durable/local-engine.ts';
import { RunFailedError } from '../errors.ts';
import { AgentOptions } from '../manager/options.ts';
import type { Fact } from '../orchestration/facts.ts';
import { SYSTEM_TOOLS, type TaskPolicy } from '../orchestration/policy.ts';
import { retryWorkflow } from '../orchestration/retry.ts';
import { slotWorkflow } from '../orchestration/slot.ts';
import { doWave } from '../orchestration/wave.ts';
import { createWorkQueue, type QueuePlan, type WorkQueue } from '../plan/work-queue.ts';
import { type Attempt, isScored, isSuccess, type Outcome } from '../task/outcome.ts';
import { pickRetryOptions, RetryOptions } from '../task/retry-options.ts';
import type { Work } from '../task/work.ts';
import { refuseDangerousTools } from './refuse-tools.ts';
import type { Heal } from './heal.ts';
import { supportTools } from './support-tools.ts';
import { systemTool } from './system-tool.ts';

export const AgentExecutorOptions = z.strictObject({
  agent: AgentOptions,
  ...RetryOptions.shape,
  seed: z.union([z.number(), z.string()]).default(1),
  /** Lets tools of tier 3 run without a gate. For dry runs. */
  allowUngoverned: z.boolean().default(false),
});
export type AgentExecutorInput = z.input<typeof AgentExecutorOptions>;
export type AgentExecutorOptions = z.output<typeof AgentExecutorOptions>;

/** A task for one agent, without a plan around it. */
export interface TaskRequest {
  taskId: string;
  action: string;
  input: unknown;
  /** That it succeeds, 0..1. Default 0.5. */
  successProbability?: number;
  /** How long it should take, in ms. Default 1000. */
  durationMs?: number;
  /** Default 0. */
  priority?: number;
}

const TaskRequests = z
  .array(
    z.strictObject({
      taskId: z.string().min(1),
      action: z.string().min(1),
      input: z.unknown(),
      successProbability: z.number().min(0).max(1).default(0.5),
      durationMs: z.number().positive().default(1_000),
      priority: z.number().default(0),
    }),
  )
  .refine((tasks) => new Set(tasks.map(({ taskId }) => taskId)).size === tasks.length, {
    message: 'tasks must have different ids',
  });

export interface AgentExecutorEvents {
  attemptEnded: [event: { attempt: Attempt }];
  /** Also when it waits for a person. */
  taskSettled: [event: { outcome: Outcome; output: unknown }];
}

export interface ExecutionMetrics {
  tasks: number;
  completed: number;
  /** Failed or timed out. */
  failed: number;
  attempts: number;
  /** Mean over scored tasks of what happened (0 or 1) less what was predicted; NaN when there are none. */
  meanConfidenceDelta: number;
  /** Time in last attempts, in ms. */
  busyMs: number;
}

export interface ExecutorPorts {
  tools: readonly Tool[];
  clock?: Clock;
  heal?: Heal;
  newId?: NewId;
  /** Told of listeners that throw. Default: silent. */
  logger?: Logger;
}

/** One agent: does tasks, with retries, and counts how it went. */
export interface AgentExecutor {
  readonly agent: AgentOptions;
  readonly events: EventEmitter<AgentExecutorEvents>;
  /** Does one task; resolves however it ends. One that needs a person resolves as `waiting`. */
  executeTask(task: TaskRequest, options?: { signal?: AbortSignal }): Promise<Outcome>;
  /** Does tasks, longest first, as many at once as the agent's capacity; outcomes in the order in which they ended. */
  executeWave(
    tasks: readonly TaskRequest[],
    options?: { signal?: AbortSignal },
  ): Promise<readonly Outcome[]>;
  metrics(): ExecutionMetrics;
}

/**
 * @example
 * const executor = createAgentExecutor({ agent: { id: 'ada' } }, { tools: [findContact] });
 * const { status } = await executor.executeTask({ taskId: 't1', action: 'crm.contacts.find', input: { email: 'a@example.com' } });
 * @throws {InvalidInputError} When an option does not fit; from `executeTask` and `executeWave`, when a task does not.
 * @throws {ToolRefusedError} When a tool is of tier 4, or of tier 3 and not governed.
 */
export function createAgentExecutor(
  input: AgentExecutorInput,
  ports: ExecutorPorts,
): AgentExecutor {
  const options = parseOrThrow(AgentExecutorOptions, input, 'options of createAgentExecutor');
  refuseDangerousTools(ports.tools, options);
  return new Executor(options, ports);
}

class Executor implements AgentExecutor {
  readonly agent: AgentOptions;
  readonly events: EventEmitter<AgentExecutorEvents>;
  readonly #options: AgentExecutorOptions;
  readonly #clock: Clock;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #heal: Heal | undefined;
  readonly #newId: NewId;
  readonly #emit: GuardedEmitter<AgentExecutorEvents>['emit'];
  /** One for all waves: the agent has no more places because it is asked twice. */
  readonly #lanes = new Map<string, Lane>();
  readonly #metrics = { tasks: 0, completed: 0, failed: 0, attempts: 0, deltaSum: 0, busyMs: 0 };

  constructor(options: AgentExecutorOptions, ports: ExecutorPorts) {
    const { tools, clock = systemClock, newId = randomId('wave'), logger = silentLogger } = ports;
    this.agent = options.agent;
    this.#options = options;
    this.#clock = clock;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#heal = ports.heal;
    this.#newId = newId;
    const { events, emit } = createGuardedEmitter<AgentExecutorEvents>((error, event) =>
      logger.error({ err: error, event }, 'A listener of the executor threw'),
    );
    this.events = events;
    this.#emit = emit;
  }

  async executeTask(task: TaskRequest, options?: { signal?: AbortSignal }): Promise<Outcome> {
    const [outcome] = await this.executeWave([task], options);
    if (outcome) return outcome;
    throw new RunFailedError({
      name: 'Error',
      message: `Task ${task.taskId} came to no end`,
      code: 'AGENTS_RUN_FAILED',
      retryable: false,
      effect: 'unknown',
    });
  }

  async executeWave(
    tasks: readonly TaskRequest[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<readonly Outcome[]> {
    const requests = parseOrThrow(TaskRequests, tasks, 'tasks of executeWave');
    const runId = this.#newId();
    const queue = this.#queueOf(requests);
    const outcomes: Outcome[] = [];
    const engine = this.#engineFor(queue);
    engine.subscribe((fact: Fact) => this.#onFact(fact, queue, outcomes));
    const abort = () => {
      queue.cancel(String(signal?.reason));
      void engine.cancel(runId, String(signal?.reason));
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) queue.cancel(String(signal.reason));
    try {
      await engine.start(runId, 'wave', this.#policy(runId));
      const result = await engine.result(runId);
      if (result.kind === 'failed') throw new RunFailedError(result.failure);
      return outcomes;
    } finally {
      signal?.removeEventListener('abort', abort);
      await engine.close();
    }
  }

  metrics(): ExecutionMetrics {
    const { deltaSum, ...metrics } = this.#metrics;
    const scored = metrics.completed + metrics.failed;
    return { ...metrics, meanConfidenceDelta: scored === 0 ? Number.NaN : deltaSum / scored };
  }

  #engineFor(queue: WorkQueue): Engine {
    const engine = createEngine({ clock: this.#clock, lanes: this.#lanes });
    const claim = systemTool(SYSTEM_TOOLS.claim, 'Takes a task', () => queue.claim(this.agent.id));
    const { id, capacity } = this.agent;
    const slots = Array.from({ length: capacity }, (_, slot) => ({ agentId: id, slot }));
    const wave: Workflow = (ctx, policy: TaskPolicy) => doWave(ctx, { wave: 1, slots, policy });
    engine.register({
      workflows: { wave, slot: slotWorkflow, retry: retryWorkflow, parked: leaveWaiting },
      tools: [...this.#tools.values(), claim, ...supportTools(this.#tools, this.#heal)],
      lanes: { [id]: capacity },
    });
    return engine;
  }

  #policy(runId: string): TaskPolicy {
    const retry = pickRetryOptions(this.#options);
    const { seed } = this.#options;
    return { ...retry, runId, seed, verdictTimeoutMs: 0, canHeal: this.#heal !== undefined };
  }

  #queueOf(tasks: z.output<typeof TaskRequests>): WorkQueue {
    const { id: agentId, capacity } = this.agent;
    const queuedAt = this.#clock.now();
    const works = tasks.map((task): Work => {
      const { successProbability, durationMs, priority } = task;
      const tool = this.#tools.get(task.action);
      return {
        taskId: task.taskId,
        wave: 1,
        action: task.action,
        input: task.input,
        priority,
        effect: tool?.effect ?? 'once',
        canReconcile: tool?.reconcile !== undefined,
        plannedAgentId: agentId,
        isControl: false,
        heuristics: [],
        successProbability,
        calibratedProbability: successProbability,
        predictedDurationMs: durationMs,
        queuedAt,
      };
    });
    // One agent needs no plan but an order: longest first, so that its slots end together.
    const ordered = works.toSorted((x, y) => y.predictedDurationMs - x.predictedDurationMs);
    const taskIds = ordered.map(({ taskId }) => taskId);
    const plan: QueuePlan = {
      strategy: 'load_balanced',
      agents: [{ agentId, capacity, speed: 1, taskIds, loadMs: 0 }],
    };
    const queued = works.map((work) => ({ work, dependsOn: [], impossible: undefined }));
    return createWorkQueue({
      plan,
      tasks: queued,
      earlier: new Map(),
      now: () => this.#clock.now(),
    });
  }

  #onFact(fact: Fact, queue: WorkQueue, outcomes: Outcome[]): void {
    switch (fact.kind) {
      case 'attemptEnded':
        this.#metrics.attempts += 1;
        this.#emit('attemptEnded', { attempt: fact.attempt });
        return;
      case 'taskWaiting':
      case 'taskSettled': {
        const { outcome } = fact;
        queue.settle(outcome.taskId, outcome.status);
        outcomes.push(outcome);
        this.#count(outcome);
        const output = fact.kind === 'taskSettled' ? fact.output : null;
        this.#emit('taskSettled', { outcome, output });
        return;
      }
      case 'runBegan':
      case 'taskStarted':
      case 'healingEnded':
      case 'verdictTaken':
      case 'verdictDone':
      case 'onlyWaiting':
        return;
    }
  }

  #count(outcome: Outcome): void {
    const metrics = this.#metrics;
    metrics.tasks += 1;
    metrics.busyMs += outcome.attemptMs;
    if (!isScored(outcome)) return;
    const success = isSuccess(outcome);
    if (success) metrics.completed += 1;
    else metrics.failed += 1;
    metrics.deltaSum += Number(success) - outcome.successProbability;
  }
}

/** A task that needs a person was told as waiting; here is nobody to wait with. */
async function leaveWaiting(): Promise<void> {
  // it ends at once
}
