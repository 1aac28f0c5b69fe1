import type { Clock, Tool } from '@buddy/core';
import { RunFailedError } from '../errors.ts';
import type { FeedbackLoop } from '../feedback/feedback-loop.ts';
import { feedbackRecords } from '../feedback/records.ts';
import type { AgentManager, PlannedTask } from '../manager/agent-manager.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { agentMetricsRecord, waveMetricsRecord } from '../monitor/records.ts';
import type { ClosedWave, OpenedWave } from '../orchestration/run.ts';
import type { Output } from '../output/output.ts';
import type { QueuedWork } from '../plan/agent-queue.ts';
import type { Plan } from '../plan/plan.ts';
import { createWorkQueue, type WorkQueue } from '../plan/work-queue.ts';
import type { OutcomeStatus } from '../task/outcome.ts';
import type { Claim } from '../task/work.ts';
import { assignmentRecord, folderOf, json, planRecord } from './records.ts';
import type { RunObserver } from './run-observer.ts';
import type { RunTeller } from './run-teller.ts';

export interface WaveBooksPorts {
  manager: AgentManager;
  feedback: FeedbackLoop;
  monitor: Monitor;
  output: Output;
  clock: Clock;
  tools: ReadonlyMap<string, Tool>;
  observer: RunObserver;
  /** Told when the run itself cannot go on. */
  onBroken: (error: unknown) => void;
}

interface OpenWave {
  plan: Plan;
  queue: WorkQueue;
  startedAt: number;
  isOpen: boolean;
  stopWatching: AbortController;
}

/** The waves of a run: plans each, hands out its tasks, and settles it when they are done. */
export class WaveBooks {
  /** Waves that were gone through, in order. */
  readonly done: number[] = [];
  readonly #teller: RunTeller;
  readonly #ports: WaveBooksPorts;
  readonly #waves = new Map<number, OpenWave>();
  /** How tasks ended that others depend on. */
  readonly #awaited = new Map<string, OutcomeStatus>();
  #cancelReason: string | undefined;

  constructor(teller: RunTeller, ports: WaveBooksPorts) {
    this.#teller = teller;
    this.#ports = ports;
  }

  get isCancelled(): boolean {
    return this.#cancelReason !== undefined;
  }

  /** Hands nothing out any more. */
  cancel(reason: string): void {
    this.#cancelReason ??= reason;
    for (const { queue } of this.#waves.values()) queue.cancel(reason);
  }

  async open(wave: number, startedAt: number): Promise<OpenedWave> {
    const { manager, feedback, monitor, output, tools, observer } = this.#ports;
    const hasTool = (action: string) => tools.has(action);
    const { plan, tasks } = manager.planWave(wave, { learning: feedback.learning, hasTool });
    const queue = this.#queueOf(plan, tasks, startedAt);
    const stopWatching = new AbortController();
    this.#waves.set(wave, { plan, queue, startedAt, isOpen: true, stopWatching });
    manager.release(wave);

    await output.write(`${folderOf(wave)}/plan.json`, json(planRecord(plan)));
    if (this.isCancelled) return stopped(wave, startedAt);
    for (const task of tasks) {
      output.append(
        `${folderOf(wave, task.plannedAgentId)}/assignments.jsonl`,
        assignmentRecord(task),
      );
      if (output.isCongested) await output.flush();
      if (this.isCancelled) return stopped(wave, startedAt);
    }
    let longestPredictionMs = 0;
    for (const { durationMs } of tasks)
      longestPredictionMs = Math.max(longestPredictionMs, durationMs);
    monitor.startWave(plan, startedAt, { longestPredictionMs });
    observer.onWaveStarted(plan);
    const { runId } = this.#teller;
    this.#teller.log('waveStarted', { wave, tasks: tasks.length });
    this.#teller.emit('waveStarted', { at: startedAt, runId, plan });
    void this.#watch(longestPredictionMs, stopWatching.signal);
    return {
      wave,
      startedAt,
      slots: plan.agents.flatMap(({ agentId, capacity }) =>
        Array.from({ length: capacity }, (_, slot) => ({ agentId, slot })),
      ),
    };
  }

  #queueOf(plan: Plan, tasks: readonly PlannedTask[], queuedAt: number): WorkQueue {
    const { tools } = this.#ports;
    const inWave = new Set(tasks.map(({ taskId }) => taskId));
    const queued = tasks.map((task): QueuedWork => {
      const tool = tools.get(task.action);
      return {
        work: {
          taskId: task.taskId,
          wave: plan.wave,
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
          queuedAt,
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
      now: () => this.#teller.now(),
    });
    if (this.#cancelReason !== undefined) queue.cancel(this.#cancelReason);
    return queue;
  }

  /** Whether it was opened and not closed; others may still have tasks that wait. */
  isOpen(wave: number): boolean {
    return this.#waves.get(wave)?.isOpen === true;
  }

  claim(wave: number, agentId: string): Promise<Claim> {
    return this.#wave(wave).queue.claim(agentId);
  }

  /** Takes a task that waits for a waiting one. */
  claimHeld(wave: number): Claim {
    return this.#wave(wave).queue.claimHeld();
  }

  /** Takes a task that was freed late, of whatever wave. */
  claimAny(): Claim {
    for (const { queue } of this.#waves.values()) {
      const claim = queue.claimAny();
      if (claim.kind !== 'done') return claim;
    }
    return { kind: 'done' };
  }

  /** Hands out again what a process before this one handed out. */
  retake(wave: number, claim: Claim, agentId: string | undefined): void {
    this.#wave(wave).queue.retake(claim, agentId);
  }

  /** Frees, or rules out, what depends on a task. */
  settle(taskId: string, status: OutcomeStatus): void {
    if (this.#ports.manager.isAwaited(taskId)) this.#awaited.set(taskId, status);
    for (const { queue } of this.#waves.values()) queue.settle(taskId, status);
  }

  async close(closed: ClosedWave): Promise<ClosedWave> {
    const { wave, endedAt, isWhole } = closed;
    const { feedback, monitor, output, observer } = this.#ports;
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
    if (isWhole) this.done.push(wave);
    this.#teller.log('waveCompleted', { wave, health: metrics.health.score });
    await output.flush();
    observer.onWaveCompleted(metrics, signals, plan);
    const { runId } = this.#teller;
    this.#teller.emit('feedbackWritten', { at: endedAt, runId, wave, signals });
    this.#teller.emit('waveCompleted', { at: endedAt, runId, wave, metrics });
    this.#forgetWaves();
    return closed;
  }

  /** Lets go of the timers of waves that came to no end. */
  stopWatching(): void {
    for (const { stopWatching } of this.#waves.values()) stopWatching.abort();
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
