import {
  createGuardedEmitter,
  type FailureDescription,
  type GuardedEmitter,
  type Logger,
} from '@buddy/core';
import type { FeedbackSignals } from '../feedback/signals.ts';
import type { Anomaly } from '../monitor/anomaly.ts';
import type { Health } from '../monitor/health.ts';
import type { WaveReportMetrics } from '../monitor/metrics.ts';
import type { WaitingFor } from '../orchestration/facts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Attempt, Outcome } from '../task/outcome.ts';
import type { RunResult } from './run-result.ts';

/** Told after the fact; `at` in ms since the Unix epoch. */
export interface HarnessEvents {
  runStarted: [event: { at: number; runId: string; waves: readonly number[]; tasks: number }];
  waveStarted: [event: { at: number; runId: string; plan: Plan }];
  taskStarted: [
    event: {
      at: number;
      runId: string;
      taskId: string;
      wave: number;
      agentId: string;
      action: string;
    },
  ];
  taskRetrying: [event: { at: number; runId: string; taskId: string; attempt: Attempt }];
  /** The healer was asked about a task that failed for good; `failure` says why it could not answer. */
  healingEnded: [
    event: {
      at: number;
      runId: string;
      taskId: string;
      isHealed: boolean;
      failure: FailureDescription | null;
    },
  ];
  taskWaiting: [
    event: {
      at: number;
      runId: string;
      taskId: string;
      why: WaitingFor;
      approvalId: string | null;
      outcome: Outcome;
    },
  ];
  /** However it ended. `output` is what the tool returned; null when it did not. */
  taskSettled: [
    event: { at: number; runId: string; taskId: string; outcome: Outcome; output: unknown },
  ];
  anomalyDetected: [event: { at: number; runId: string; anomaly: Anomaly }];
  healthChanged: [event: { at: number; runId: string; health: Health }];
  feedbackWritten: [event: { at: number; runId: string; wave: number; signals: FeedbackSignals }];
  waveCompleted: [event: { at: number; runId: string; wave: number; metrics: WaveReportMetrics }];
  /** Also when only waiting tasks are left, and again when those have settled. */
  runCompleted: [event: { at: number; runId: string; result: RunResult }];
}

/** An emitter whose listeners cannot reach into the run; what one throws is logged. */
export function createHarnessEmitter(logger: Logger): GuardedEmitter<HarnessEvents> {
  return createGuardedEmitter<HarnessEvents>((error, event) =>
    logger.error({ err: error, event }, 'A listener of the harness threw'),
  );
}
