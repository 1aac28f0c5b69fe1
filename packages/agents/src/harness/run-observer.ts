import { basename } from 'node:path';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { wilsonInterval } from '@buddy/core';
import type { Learning } from '../feedback/learning.ts';
import type { FeedbackSignals } from '../feedback/signals.ts';
import type { LoadSummary } from '../manager/agent-manager.ts';
import type { AgentOptions } from '../manager/options.ts';
import type { Anomaly } from '../monitor/anomaly.ts';
import type { WaveReportMetrics } from '../monitor/metrics.ts';
import type { Fact } from '../orchestration/facts.ts';
import type { Plan } from '../plan/plan.ts';
import { createReliabilityCollector } from '../report/reliability/reliability-collector.ts';
import type {
  ReportData,
  ReportedFailure,
  ReportedFeedback,
  ReportedTasks,
  ReportedWave,
} from '../report/report-data.ts';
import type { ReportSection } from '../report/sections.ts';
import { createTimelineCollector } from '../report/timeline/timeline-collector.ts';
import { type Attempt, isScored, isSuccess, type Outcome } from '../task/outcome.ts';
import type { HarnessOptions } from './options.ts';
import { noCounts, type RunResult } from './run-result.ts';

/** Gathers what the report tells, in memory that does not grow with the number of tasks. */
export interface RunObserver {
  onWaveStarted(plan: Plan): void;
  onAttempt(attempt: Attempt): void;
  /** Also of a task that waits, and again when it has ended. */
  onOutcome(outcome: Outcome): void;
  onWaveCompleted(metrics: WaveReportMetrics, signals: FeedbackSignals, plan: Plan): void;
  /** Of all waves so far. */
  readonly anomalies: readonly Anomaly[];
  reportData(known: ReportSource): ReportData;
}

/** What the report tells and the observer does not see. */
export interface ReportSource {
  result: RunResult;
  options: HarnessOptions;
  clockKind: 'manual' | 'real';
  cancelReason: string | undefined;
  loaded: LoadSummary;
  /** Folders; empty for streams. */
  sources: readonly string[];
  learning: Learning;
  notes: readonly string[];
  sections: readonly ReportSection[];
  problemsFile: string;
  waiting: readonly Extract<Fact, { kind: 'taskWaiting' }>[];
}

export function createRunObserver(startedAt: number, agents: readonly AgentOptions[]): RunObserver {
  return new Observer(startedAt, agents);
}

class Observer implements RunObserver {
  readonly #agents: readonly AgentOptions[];
  readonly #reliability = createReliabilityCollector();
  readonly #timeline;
  readonly #byAgent = new Map<string, TaskTally>();
  readonly #byAction = new Map<string, TaskTally>();
  readonly #failures = new Map<string, ReportedFailure>();
  readonly #waves: ObservedWave[] = [];
  readonly anomalies: Anomaly[] = [];
  /** Of waves that are open, or in which tasks wait. */
  readonly #byWave = new Map<number, TaskTally>();
  /** Where tasks are counted that wait. */
  readonly #waiting = new Map<string, readonly TaskTally[]>();
  #busyMs = new Map<string, number>();
  #slotMs = 0;
  #feedback: ReportedFeedback = { calibrators: [], heuristics: [] };

  constructor(startedAt: number, agents: readonly AgentOptions[]) {
    this.#agents = agents;
    this.#timeline = createTimelineCollector({
      startedAt,
      agents: agents.map(({ id, capacity }) => ({ agentId: id, capacity })),
    });
  }

  onWaveStarted({ wave }: Plan): void {
    this.#byWave.set(wave, new TaskTally());
  }

  onAttempt(attempt: Attempt): void {
    this.#timeline.observe(attempt);
    const { agentId, startedAt, endedAt } = attempt;
    this.#busyMs.set(agentId, (this.#busyMs.get(agentId) ?? 0) + endedAt - startedAt);
  }

  onOutcome(outcome: Outcome): void {
    const { failure, taskId, wave, action, agentId, status } = outcome;
    this.#endWait(taskId);
    this.#reliability.observe(outcome);
    const tallies = [tallyOf(this.#byAction, action)];
    const ofWave = this.#byWave.get(wave);
    if (ofWave) tallies.push(ofWave);
    if (agentId !== null) tallies.push(tallyOf(this.#byAgent, agentId));
    for (const tally of tallies) tally.add(outcome);
    if (status === 'waiting') this.#waiting.set(taskId, tallies);
    if (!failure || status === 'waiting') return;
    const known = this.#failures.get(failure.code);
    if (known) known.tasks += 1;
    else {
      const example = { exampleTaskId: taskId, exampleMessage: failure.message };
      this.#failures.set(failure.code, { code: failure.code, tasks: 1, ...example });
    }
  }

  /** What was counted as waiting will be counted as what it became. */
  #endWait(taskId: string): void {
    for (const tally of this.#waiting.get(taskId) ?? []) tally.endWait();
    this.#waiting.delete(taskId);
  }

  onWaveCompleted(metrics: WaveReportMetrics, signals: FeedbackSignals, plan: Plan): void {
    const { wave, anomalies, health } = metrics;
    const { startedAt, endedAt } = wave;
    this.#timeline.closeWave({ wave: wave.wave, startedAt, endedAt });
    this.#slotMs += endedAt - startedAt;
    this.anomalies.push(...anomalies);
    this.#waves.push({
      wave: wave.wave,
      tasks: this.#closeTally(wave.wave),
      brierCalibrated: wave.brier,
      makespanMs: wave.makespanMs,
      lowerBoundMs: wave.lowerBoundMs,
      makespanRatio: wave.makespanRatio,
      plannedMakespanMs: plan.makespanMs,
      baselineRoundRobinMs: plan.baselineRoundRobinMs,
      steals: wave.steals,
      health,
    });
    this.#feedback = reportedFeedback(signals);
  }

  /** A tally is kept only while a task of its wave waits: it takes tens of kilobytes. */
  #closeTally(wave: number): () => WaveTasks {
    const tally = this.#byWave.get(wave) ?? new TaskTally();
    if (tally.hasWaiting) return () => tally.forWave();
    this.#byWave.delete(wave);
    const tasks = tally.forWave();
    return () => tasks;
  }

  reportData(known: ReportSource): ReportData {
    const { result, options, clockKind, cancelReason, loaded, learning, waiting } = known;
    const { runId, startedAt, endedAt, status, counts, health } = result;
    return {
      run: {
        id: runId,
        seed: options.seed,
        clock: clockKind,
        startedAt,
        endedAt,
        status,
        reason: cancelReason ?? null,
        strategy: options.strategy,
      },
      load: {
        sources: known.sources,
        taskCount: loaded.taskCount,
        problems: loaded.problems.map((problem) => ({ ...problem, file: basename(problem.file) })),
        problemsFile: loaded.problems.length > 0 ? known.problemsFile : null,
      },
      counts,
      health,
      waves: this.#waves.map(({ tasks, ...wave }) => ({ ...wave, ...tasks() })),
      agents: this.#agents.map(({ id, capacity }) => ({
        agentId: id,
        capacity,
        ...(this.#byAgent.get(id) ?? new TaskTally()).tasks(),
        speed: learning.speed(id),
        utilisation:
          this.#slotMs === 0 ? null : (this.#busyMs.get(id) ?? 0) / (this.#slotMs * capacity),
      })),
      actions: [...this.#byAction]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([action, tally]) => ({
          action,
          ...tally.tasks(),
          predictedMean: tally.predictedMean,
        })),
      failures: [...this.#failures.values()].toSorted((a, b) => b.tasks - a.tasks),
      anomalies: this.anomalies,
      feedback: this.#feedback,
      waiting: waiting.map(({ outcome, why, approvalId }) => ({
        taskId: outcome.taskId,
        wave: outcome.wave,
        action: outcome.action,
        reason: why,
        approvalId,
      })),
      notes: known.notes,
      sections: known.sections,
      reliability: this.#reliability.reliability(),
      timeline: this.#timeline.timeline(),
    };
  }
}

type WaveTasks = ReportedTasks & Pick<ReportedWave, 'predictedMean' | 'brierRaw'>;

interface ObservedWave extends Omit<ReportedWave, keyof WaveTasks> {
  tasks: () => WaveTasks;
}

/** As the last wave left it: what the next one would be planned with. */
function reportedFeedback({ predictions, heuristics }: FeedbackSignals): ReportedFeedback {
  return {
    calibrators: predictions.map(({ action, n, calibrator, brier, calibratedBrier }) => ({
      action: action ?? 'all actions',
      observations: n,
      isActive: calibrator !== null,
      brierBefore: brier,
      brierAfter: calibratedBrier,
    })),
    heuristics: heuristics.map(({ heuristic, n, successes, predictedMean, recommendation }) => ({
      heuristic,
      observations: n,
      predictedMean,
      successRate: n === 0 ? null : successes / n,
      recommendation,
    })),
  };
}

function tallyOf(tallies: Map<string, TaskTally>, name: string): TaskTally {
  const known = tallies.get(name);
  if (known) return known;
  const tally = new TaskTally();
  tallies.set(name, tally);
  return tally;
}

/** Counts of a group of tasks, and how long they took. */
class TaskTally {
  readonly #counts = noCounts();
  /** Milliseconds, to two digits: its size is fixed, whatever it records. */
  readonly #durations: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: MOST_MS,
    figures: 2,
  });
  #predicted = 0;
  #squaredErrors = 0;

  get hasWaiting(): boolean {
    return this.#counts.waiting > 0;
  }

  get #scored(): number {
    return this.#counts.completed + this.#counts.failed + this.#counts.timed_out;
  }

  get predictedMean(): number | null {
    return this.#scored === 0 ? null : this.#predicted / this.#scored;
  }

  get brierRaw(): number | null {
    return this.#scored === 0 ? null : this.#squaredErrors / this.#scored;
  }

  add(outcome: Outcome): void {
    this.#counts[outcome.status] += 1;
    if (!isScored(outcome)) return;
    const { successProbability, startedAt, endedAt } = outcome;
    this.#predicted += successProbability;
    this.#squaredErrors += (successProbability - Number(isSuccess(outcome))) ** 2;
    if (startedAt === null || endedAt === null) return;
    this.#durations.record(Math.min(MOST_MS, Math.max(1, Math.round(endedAt - startedAt))));
  }

  /** A task that was counted as waiting waits no more. */
  endWait(): void {
    this.#counts.waiting -= 1;
  }

  forWave(): WaveTasks {
    const { predictedMean, brierRaw } = this;
    return { ...this.tasks(), predictedMean, brierRaw };
  }

  tasks(): ReportedTasks {
    const scored = this.#scored;
    const percentile = (at: number) =>
      this.#durations.count === 0 ? null : this.#durations.percentile(at);
    return {
      counts: { ...this.#counts },
      successRate: scored === 0 ? null : this.#counts.completed / scored,
      successInterval:
        scored === 0 ? { lower: 0, upper: 1 } : wilsonInterval(this.#counts.completed, scored),
      durationMs: { p50: percentile(50), p95: percentile(95) },
    };
  }
}

/** A day; what takes longer is counted as that. */
const MOST_MS = 86_400_000;
