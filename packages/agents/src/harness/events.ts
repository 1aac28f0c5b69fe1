import type { Logger } from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
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

/** Emits so that a listener that throws does not reach into the run; what it threw is logged. */
export function createEventSink(logger: Logger): {
  events: EventEmitter<HarnessEvents>;
  emit: <Name extends keyof HarnessEvents>(name: Name, event: HarnessEvents[Name][0]) => void;
} {
  const events = new EventEmitter<HarnessEvents>();
  return {
    events,
    emit: (name, event) => {
      try {
        // The emitter's own type asks for a tuple that TypeScript cannot follow through a generic name.
        (events as unknown as EventEmitter).emit(name, event);
      } catch (error) {
        logger.error({ err: error, event: name }, 'A listener of the harness threw');
      }
    },
  };
}
