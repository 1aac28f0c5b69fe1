import type { Clock, GuardedEmitter, Tool } from '@buddy/core';
import type { ActivityResult } from '../durable/durable-context.ts';
import type { HistoryEntry } from '../durable/workflow-store.ts';
import type { FeedbackLoop } from '../feedback/feedback-loop.ts';
import { feedbackRecords } from '../feedback/records.ts';
import { RunFailedError } from '../errors.ts';
import type { AgentManager } from '../manager/agent-manager.ts';
import { UNASSIGNED } from '../manager/options.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { agentMetricsRecord, waveMetricsRecord } from '../monitor/records.ts';
import type { Fact } from '../orchestration/facts.ts';
import { SYSTEM_TOOLS } from '../orchestration/policy.ts';
import type { ClosedWave, OpenedWave } from '../orchestration/run.ts';
import type { Output } from '../output/output.ts';
import type { Plan } from '../plan/plan.ts';
import type { QueuedWork } from '../plan/agent-queue.ts';
import { createWorkQueue, type WorkQueue } from '../plan/work-queue.ts';
import type { Attempt, Outcome, OutcomeStatus } from '../task/outcome.ts';
import type { Claim } from '../task/work.ts';
import type { HarnessEvents } from './events.ts';
import {
  assignmentRecord,
  attemptRecord,
  isoTime,
  json,
  outcomeRecord,
  planRecord,
} from './records.ts';
import type { RunObserver } from './run-observer.ts';
import { noCounts } from './run-result.ts';
import { systemTool } from '../execution/system-tool.ts';

export interface RunHostPorts {
  manager: AgentManager;
  feedback: FeedbackLoop;
  monitor: Monitor;
  output: Output;
  clock: Clock;
  tools: ReadonlyMap<string, Tool>;
  emit: GuardedEmitter<HarnessEvents>['emit'];
  observer: RunObserver;
  /** Told when the run itself cannot go on. */
  onBroken: (error: unknown) => void;
}

/** Who claimed in which wave: for whoever restores the books. */
interface Claimed {
  wave: number;
  agentId: string;
}

export type RunHistoryEntry = HistoryEntry<Fact, ActivityResult<unknown>>;
type RecordedCall = Extract<RunHistoryEntry, { kind: 'recorded' }>;

/** What one of our own tools has answered comes back as it was. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows which tool it was
function answerOf<Answer>(answer: unknown): Answer {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what that tool gave was kept under its name
  return answer as Answer;
}

interface OpenWave {
  plan: Plan;
  queue: WorkQueue;
  startedAt: number;
  isOpen: boolean;
  stopWatching: AbortController;
}

/** The side of a run that touches the world: hands out work, writes files, feeds what learns and what watches. */
export class RunHost {
  readonly runId: string;
  readonly counts: Record<OutcomeStatus, number> = noCounts();
  readonly wavesDone: number[] = [];
  /** Tasks that wait, and the workflow to tell when somebody decides. */
  readonly waiting = new Map<string, Extract<Fact, { kind: 'taskWaiting' }>>();
  #ports: RunHostPorts;
  /** The same, for what listeners were told before, by a process that is gone. */
  readonly #mute: RunHostPorts;
  readonly #waves = new Map<number, OpenWave>();
  /** How tasks ended that others depend on. */
  readonly #awaited = new Map<string, OutcomeStatus>();
  /** Tasks that wait, and those that depend on them. */
  readonly #waitingIds = new Set<string>();
  #cancelReason: string | undefined;
  /** When what is told now happened; undefined: now. */
  #at: number | undefined;

  constructor(runId: string, ports: RunHostPorts) {
    this.runId = runId;
    this.#ports = ports;
    this.#mute = { ...ports, emit: () => undefined };
  }

  /** Brings the books to where they were when this was answered: tells nobody, and writes the files anew. */
  async restoreCall({ at, tool, value }: RecordedCall): Promise<void> {
    if (tool === null || value.kind !== 'succeeded') return;
    const ports = this.#ports;
    this.#ports = this.#mute;
    this.#at = at;
    try {
      await this.#restoreAnswer(tool, value.value);
    } finally {
      this.#ports = ports;
      this.#at = undefined;
    }
  }

  /** As `restoreCall`, for a fact that was told at this time. */
  restoreFact(fact: Fact, at: number): void {
    const ports = this.#ports;
    this.#ports = this.#mute;
    try {
      this.onFact(fact, at);
    } finally {
      this.#ports = ports;
    }
  }

  async #restoreAnswer(tool: string, answer: unknown): Promise<void> {
    switch (tool) {
      case SYSTEM_TOOLS.openWave: {
        const { wave, startedAt } = answerOf<OpenedWave>(answer);
        await this.#openWave(wave, startedAt);
        return;
      }
      case SYSTEM_TOOLS.closeWave:
        await this.#closeWave(answerOf<ClosedWave>(answer));
        return;
      case SYSTEM_TOOLS.claim: {
        const { wave, agentId, ...claim } = answerOf<Claim & Claimed>(answer);
        this.#wave(wave).queue.retake(claim, agentId);
        return;
      }
      case SYSTEM_TOOLS.claimHeld:
      case SYSTEM_TOOLS.claimAny: {
        const claim = answerOf<Claim>(answer);
        if (claim.kind !== 'done') this.#wave(claim.work.wave).queue.retake(claim, undefined);
        return;
      }
      default: // the tools of tasks: what came of them is told as facts
    }
  }

  /** What orchestration calls by name. */
  systemTools(): Tool[] {
    return [
      systemTool(SYSTEM_TOOLS.openWave, 'Plans a wave', ({ wave }: { wave: number }) =>
        this.#openWave(wave, this.#now()),
      ),
      systemTool(SYSTEM_TOOLS.closeWave, 'Settles a wave', ({ wave }: { wave: number }) =>
        this.#closeWave({
          wave,
          endedAt: this.#now(),
          isWhole: this.#cancelReason === undefined,
        }),
      ),
      systemTool(SYSTEM_TOOLS.claim, 'Takes a task', (input: { wave: number; agentId: string }) =>
        this.#claim(input),
      ),
      systemTool(
        SYSTEM_TOOLS.claimHeld,
        'Takes a task that waits for a waiting one',
        async ({ wave }: { wave: number }) => this.#wave(wave).queue.claimHeld(),
      ),
      systemTool(SYSTEM_TOOLS.claimAny, 'Takes a task that was freed late', async () =>
        this.#claimAny(),
      ),
    ].map((tool) => this.#vital(tool));
  }

  /** Hands nothing out any more. */
  cancel(reason: string): void {
    this.#cancelReason ??= reason;
    for (const { queue } of this.#waves.values()) queue.cancel(reason);
  }

  /** Lets go of the timers of waves that came to no end. */
  stopWatching(): void {
    for (const { stopWatching } of this.#waves.values()) stopWatching.abort();
  }

  /** @param at When it was told, in ms since the Unix epoch. */
  onFact(fact: Fact, at: number): void {
    this.#at = at;
    try {
      this.#hear(fact);
    } finally {
      this.#at = undefined;
    }
  }

  #hear(fact: Fact): void {
    switch (fact.kind) {
      case 'taskStarted': {
        const { kind, ...started } = fact;
        this.#event(kind, started);
        return;
      }
      case 'attemptEnded':
        this.#onAttempt(fact.attempt);
        return;
      case 'taskWaiting':
        this.#onWaiting(fact);
        return;
      case 'taskSettled':
        this.#onSettled(fact.outcome, fact.output);
        return;
      case 'healingEnded':
        this.#onHealing(fact);
        return;
      case 'runBegan':
      case 'verdictTaken':
      case 'verdictDone':
      case 'onlyWaiting':
        return;
    }
  }

  /** What goes wrong in one of these is the run's failure, not a task's. */
  #vital(tool: Tool): Tool {
    return {
      ...tool,
      execute: async (input, context) => {
        try {
          return await tool.execute(input, context);
        } catch (error) {
          this.#ports.onBroken(error);
          throw error;
        }
      },
    };
  }

  async #openWave(wave: number, startedAt: number): Promise<OpenedWave> {
    const { manager, feedback, monitor, output, tools, emit, observer } = this.#ports;
    const hasTool = (action: string) => tools.has(action);
    const { plan, tasks } = manager.planWave(wave, { learning: feedback.learning, hasTool });
    const inWave = new Set(tasks.map(({ taskId }) => taskId));
    const queued = tasks.map((task): QueuedWork => {
      const tool = tools.get(task.action);
      return {
        work: {
          taskId: task.taskId,
          wave,
          action: task.action,
          input: task.input,
          priority: task.priority,
          effect: tool?.effect ?? 'once',
          canReconcile: tool?.reconcile !== undefined,
          plannedAgentId: task.plannedAgentId,
          isControl: task.isControl,
          heuristics: task.heuristics,
          successProbability: task.successProbability,
          calibratedProbability: task.calibratedProbability,
          predictedDurationMs: task.durationMs,
          queuedAt: startedAt,
        },
        // What lies outside the chosen waves is taken as done.
        dependsOn: task.allDependsOn.filter((id) => inWave.has(id) || this.#awaited.has(id)),
        impossible: task.impossible,
      };
    });
    const queue = createWorkQueue({
      plan,
      tasks: queued,
      earlier: this.#awaited,
      now: () => this.#now(),
    });
    if (this.#cancelReason !== undefined) queue.cancel(this.#cancelReason);
    const stopWatching = new AbortController();
    this.#waves.set(wave, { plan, queue, startedAt, isOpen: true, stopWatching });
    manager.release(wave);

    await output.write(`${folderOf(wave)}/plan.json`, json(planRecord(plan)));
    if (this.#cancelReason !== undefined) return stopped(wave, startedAt);
    for (const task of tasks) {
      output.append(
        `${folderOf(wave, task.plannedAgentId)}/assignments.jsonl`,
        assignmentRecord(task),
      );
      if (output.isCongested) await output.flush();
      if (this.#cancelReason !== undefined) return stopped(wave, startedAt);
    }
    let longestPredictionMs = 0;
    for (const { durationMs } of tasks)
      longestPredictionMs = Math.max(longestPredictionMs, durationMs);
    monitor.startWave(plan, startedAt, { longestPredictionMs });
    observer.onWaveStarted(plan);
    this.#log('waveStarted', { wave, tasks: tasks.length });
    emit('waveStarted', { at: startedAt, runId: this.runId, plan });
    void this.#watch(longestPredictionMs, stopWatching.signal);
    return {
      wave,
      startedAt,
      slots: plan.agents.flatMap(({ agentId, capacity }) =>
        Array.from({ length: capacity }, (_, slot) => ({ agentId, slot })),
      ),
    };
  }

  async #closeWave(closed: ClosedWave): Promise<ClosedWave> {
    const { wave, endedAt, isWhole } = closed;
    const { feedback, monitor, output, emit, observer } = this.#ports;
    const open = this.#wave(wave);
    open.isOpen = false;
    open.stopWatching.abort();
    const { plan, startedAt, queue } = open;
    const record = { wave, startedAt, endedAt, plan, steals: queue.steals };
    const metrics = monitor.closeWave(record);
    const signals = feedback.closeWave(record);
    await output.write(`${folderOf(wave)}/metrics.json`, json(waveMetricsRecord(metrics)));
    for (const agent of metrics.agents) {
      const path = `${folderOf(wave, agent.agentId)}/metrics.json`;
      await output.write(path, json(agentMetricsRecord(agent, metrics)));
    }
    for (const { path, record: signal } of feedbackRecords(signals)) output.append(path, signal);
    if (isWhole) this.wavesDone.push(wave);
    this.#log('waveCompleted', { wave, health: metrics.health.score });
    await output.flush();
    observer.onWaveCompleted(metrics, signals, plan);
    emit('feedbackWritten', { at: endedAt, runId: this.runId, wave, signals });
    emit('waveCompleted', { at: endedAt, runId: this.runId, wave, metrics });
    this.#forgetWaves();
    return closed;
  }

  async #claim({ wave, agentId }: Claimed): Promise<Claim & Claimed> {
    const { output } = this.#ports;
    // The one place where every agent passes between two tasks: memory is bounded here.
    if (output.isCongested) await output.flush();
    return { ...(await this.#wave(wave).queue.claim(agentId)), wave, agentId };
  }

  #claimAny(): Claim {
    for (const { queue } of this.#waves.values()) {
      const claim = queue.claimAny();
      if (claim.kind !== 'done') return claim;
    }
    return { kind: 'done' };
  }

  #onAttempt(attempt: Attempt): void {
    const { output, monitor, emit, observer } = this.#ports;
    output.append(
      `${folderOf(attempt.wave, attempt.agentId)}/attempts.jsonl`,
      attemptRecord(attempt),
    );
    if (this.#isOpen(attempt.wave)) monitor.observeAttempt(attempt);
    observer.onAttempt(attempt);
    if (attempt.backoffMs === null) return;
    const { taskId, attempt: n, backoffMs, failure } = attempt;
    this.#log('taskRetrying', {
      task_id: taskId,
      attempt: n,
      backoff_ms: backoffMs,
      code: failure?.code ?? null,
    });
    emit('taskRetrying', { at: this.#now(), runId: this.runId, taskId, attempt });
  }

  #onHealing({ taskId, isHealed, failure }: Extract<Fact, { kind: 'healingEnded' }>): void {
    const { emit } = this.#ports;
    this.#log('healingEnded', {
      task_id: taskId,
      is_healed: isHealed,
      code: failure?.code ?? null,
    });
    emit('healingEnded', { at: this.#now(), runId: this.runId, taskId, isHealed, failure });
  }

  #onWaiting(fact: Extract<Fact, { kind: 'taskWaiting' }>): void {
    const { emit } = this.#ports;
    const { outcome, why, approvalId } = fact;
    const { taskId } = outcome;
    this.waiting.set(taskId, fact);
    this.#record(outcome);
    this.#log('taskWaiting', { task_id: taskId, why, approval_id: approvalId });
    emit('taskWaiting', { at: this.#now(), runId: this.runId, taskId, why, approvalId, outcome });
  }

  #onSettled(outcome: Outcome, output: unknown): void {
    const { emit } = this.#ports;
    const { taskId } = outcome;
    this.waiting.delete(taskId);
    this.#record(outcome);
    this.#log('taskSettled', { task_id: taskId, status: outcome.status });
    emit('taskSettled', { at: this.#now(), runId: this.runId, taskId, outcome, output });
  }

  /** Writes an outcome down and tells everybody who learns from it. */
  #record(outcome: Outcome): void {
    const { output, monitor, feedback, manager, observer } = this.#ports;
    const { taskId, wave, status } = outcome;
    this.#count(taskId, status);
    output.append(`${folderOf(wave, outcome.agentId)}/outcomes.jsonl`, outcomeRecord(outcome));
    if (manager.isAwaited(taskId)) this.#awaited.set(taskId, status);
    feedback.settle(outcome);
    if (this.#isOpen(wave)) monitor.observe(outcome);
    observer.onOutcome(outcome);
    for (const { queue } of this.#waves.values()) queue.settle(taskId, status);
  }

  /** A task that waits is counted once as waiting, and as what it becomes in the end. */
  #count(taskId: string, status: OutcomeStatus): void {
    if (this.#waitingIds.delete(taskId)) this.counts.waiting -= 1;
    if (status === 'waiting') this.#waitingIds.add(taskId);
    this.counts[status] += 1;
  }

  #event(
    name: 'taskStarted',
    started: { taskId: string; wave: number; agentId: string; action: string },
  ): void {
    const { emit } = this.#ports;
    const { taskId, wave, agentId, action } = started;
    this.#log(name, { task_id: taskId, wave, agent_id: agentId, action });
    emit(name, { at: this.#now(), runId: this.runId, ...started });
  }

  /** One line of `events.jsonl`. */
  #log(event: string, details: object): void {
    const { output } = this.#ports;
    output.append('phase21/events.jsonl', {
      event,
      at: isoTime(this.#now()),
      run_id: this.runId,
      ...details,
    });
  }

  /** Tells the monitor the time while a wave runs, so that it notices when nothing happens. */
  async #watch(longestPredictionMs: number, signal: AbortSignal): Promise<void> {
    const { clock, monitor } = this.#ports;
    const everyMs = Math.max(1_000, longestPredictionMs);
    try {
      for (;;) {
        await clock.sleep(everyMs, signal);
        monitor.tick(clock.now());
      }
    } catch (error) {
      if (!signal.aborted) this.#ports.onBroken(error);
    }
  }

  #now(): number {
    return this.#at ?? this.#ports.clock.now();
  }

  #wave(wave: number): OpenWave {
    const open = this.#waves.get(wave);
    if (open) return open;
    const message = `Wave ${wave} was never opened`;
    throw new RunFailedError({
      name: 'Error',
      message,
      code: 'AGENTS_WAVE_UNKNOWN',
      retryable: false,
      effect: 'none',
    });
  }

  #isOpen(wave: number): boolean {
    return this.#waves.get(wave)?.isOpen === true;
  }

  /** A queue is kept while anything is left in it: a task that waited may still free it, or somebody be about to take it. */
  #forgetWaves(): void {
    for (const [wave, { isOpen, queue }] of this.#waves) {
      if (!isOpen && queue.isEmpty) this.#waves.delete(wave);
    }
  }
}

/** Of a wave that was stopped while it was opened: nobody works on it, or waits for it. */
function stopped(wave: number, startedAt: number): OpenedWave {
  return { wave, startedAt, slots: [] };
}

function folderOf(wave: number, agentId?: string | null): string {
  return agentId === undefined
    ? `phase21/wave_${wave}`
    : `phase21/wave_${wave}/${agentId ?? UNASSIGNED}`;
}
