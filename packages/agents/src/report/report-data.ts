import type { Interval } from '@buddy/core';
import type { Anomaly } from '../monitor/anomaly.ts';
import type { Strategy } from '../plan/plan.ts';
import type { LoadProblem } from '../prediction/load-problem.ts';
import type { OutcomeStatus } from '../task/outcome.ts';
import type { ReportSection } from './sections.ts';
import type { Reliability } from './reliability/reliability-collector.ts';
import type { Timeline } from './timeline/timeline-collector.ts';

/** All that a report tells. Plain data; times in ms since the Unix epoch, rates and probabilities 0..1. */
export interface ReportData {
  run: ReportedRun;
  load: ReportedLoad;
  /** How many tasks ended how. */
  counts: Readonly<Record<OutcomeStatus, number>>;
  health: ReportedHealth;
  /** In the order in which they ran. */
  waves: readonly ReportedWave[];
  agents: readonly ReportedAgent[];
  actions: readonly ReportedAction[];
  /** What went wrong, by error code. */
  failures: readonly ReportedFailure[];
  anomalies: readonly Anomaly[];
  feedback: ReportedFeedback;
  /** Tasks that wait for a person. */
  waiting: readonly WaitingTask[];
  /** What a reader has to know beside the numbers, a sentence each. */
  notes: readonly string[];
  /** What whoever ran it has to tell. */
  sections: readonly ReportSection[];
  reliability: Reliability;
  timeline: Timeline;
}

export interface ReportedRun {
  id: string;
  /** Null when chance was left to the machine. */
  seed: number | string | null;
  clock: 'manual' | 'real';
  startedAt: number;
  endedAt: number;
  status: 'completed' | 'waiting' | 'cancelled' | 'failed';
  /** Why it failed or was cancelled; null when there is nothing to say. */
  reason: string | null;
  strategy: Strategy;
}

export interface ReportedLoad {
  /** The files or streams that were read. */
  sources: readonly string[];
  taskCount: number;
  problems: readonly LoadProblem[];
  /** Where all problems are listed; null when nowhere. */
  problemsFile: string | null;
}

export interface ReportedHealth {
  /** 0..100; null while unknown. */
  score: number | null;
  /** `GOOD` and the like. */
  status: string;
}

/** How a group of tasks went. Rates are over completed, failed and timed-out tasks only. */
export interface ReportedTasks {
  counts: Readonly<Record<OutcomeStatus, number>>;
  /** Null when nothing was scored. */
  successRate: number | null;
  /** Wilson's 95 % interval. */
  successInterval: Interval;
  /** From start to end of a task, in ms; null when there is none. */
  durationMs: { p50: number | null; p95: number | null };
}

export interface ReportedWave extends ReportedTasks {
  wave: number;
  /** Mean of the probabilities of the input, over scored tasks. */
  predictedMean: number | null;
  /** Of the probabilities of the input, and of those that the plan was made with. */
  brierRaw: number | null;
  brierCalibrated: number | null;
  /** As it came, with the lower bound for what the work turned out to be. */
  makespanMs: number;
  lowerBoundMs: number;
  makespanRatio: number | null;
  /** As planned, for comparison with dealing the tasks round-robin. */
  plannedMakespanMs: number;
  baselineRoundRobinMs: number;
  steals: number;
  health: ReportedHealth;
}

export interface ReportedAgent extends ReportedTasks {
  agentId: string;
  capacity: number;
  /** Learnt work per time, against the predictions. */
  speed: number;
  /** Share of its capacity that was busy; null when no time passed. */
  utilisation: number | null;
}

export interface ReportedAction extends ReportedTasks {
  action: string;
  predictedMean: number | null;
}

export interface ReportedFailure {
  code: string;
  tasks: number;
  exampleTaskId: string;
  exampleMessage: string;
}

export interface ReportedFeedback {
  calibrators: readonly {
    action: string;
    observations: number;
    /** Whether the predictions are recalibrated, or were found good enough as they are. */
    isActive: boolean;
    brierBefore: number | null;
    brierAfter: number | null;
  }[];
  heuristics: readonly {
    heuristic: string;
    observations: number;
    predictedMean: number | null;
    successRate: number | null;
    recommendation: string;
  }[];
}

export interface WaitingTask {
  taskId: string;
  wave: number;
  action: string;
  /** What the person has to decide. */
  reason: string;
  approvalId: string | null;
}
