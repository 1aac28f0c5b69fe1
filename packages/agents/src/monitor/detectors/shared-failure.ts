import { isSuccess, type Outcome } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';
import { CRITICAL_AT } from './bernoulli-cusum.ts';

const EVIDENCE_KEPT = 10;

export interface SharedFailureDetector {
  /**
   * @param outcome A scored one, of whichever agent.
   * @param leastEvidence That the agents fail more than predicted, with the one left out that makes it look worst.
   */
  observe(outcome: Outcome, leastEvidence: number): Finding | undefined;
  startWave(): void;
}

/**
 * Notices while a wave runs that its predictions are off, or that something has failed which all tasks share: whichever agent
 * is left out, the others fail more than predicted. Told once in a wave, as `prediction_drift`; when the wave has ended,
 * all of it is judged.
 */
export function createSharedFailureDetector(): SharedFailureDetector {
  let hasAlarmed = false;
  let failedIds: string[] = [];

  return {
    observe(outcome, leastEvidence) {
      if (hasAlarmed || isSuccess(outcome)) return undefined;
      failedIds = [...failedIds.slice(1 - EVIDENCE_KEPT), outcome.taskId];
      if (leastEvidence <= CRITICAL_AT) return undefined;
      hasAlarmed = true;
      return {
        kind: 'prediction_drift',
        severity: 'warning',
        scope: { kind: 'wave' },
        statistic: leastEvidence,
        threshold: CRITICAL_AT,
        evidence: failedIds,
        recommendation:
          'All agents fail more than predicted: see whether something that they share is down. If not, the predictions are off, and are recalibrated for the next wave.',
        at: outcome.endedAt ?? outcome.queuedAt,
      };
    },
    startWave() {
      hasAlarmed = false;
      failedIds = [];
    },
  };
}
