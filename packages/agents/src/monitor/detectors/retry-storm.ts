import type { Attempt } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';

/** The latest attempts that are looked at: enough that one in five being repeats reaches a half about once in 20 000. */
const WINDOW = 30;
const EVIDENCE_KEPT = 10;

export interface RetryStormDetector {
  observe(attempt: Attempt): Finding | undefined;
}

/** Notices that the wave mostly repeats itself: more than `share` of its last 30 attempts were not first ones. */
export function createRetryStormDetector(share: number): RetryStormDetector {
  const isRepeat: boolean[] = [];
  let repeats = 0;
  let isStorm = false;
  let repeatedIds: string[] = [];

  return {
    observe(attempt) {
      isRepeat.push(attempt.attempt > 1);
      if (attempt.attempt > 1) {
        repeats += 1;
        repeatedIds = [...repeatedIds.slice(1 - EVIDENCE_KEPT), attempt.taskId];
      }
      if (isRepeat.length > WINDOW && isRepeat.shift()) repeats -= 1;
      if (isRepeat.length < WINDOW) return undefined;

      const wasStorm = isStorm;
      const statistic = repeats / WINDOW;
      isStorm = statistic > share;
      if (!isStorm || wasStorm) return undefined;
      return {
        kind: 'retry_storm',
        severity: 'warning',
        scope: { kind: 'wave' },
        statistic,
        threshold: share,
        evidence: [...new Set(repeatedIds)],
        recommendation:
          'Find what most attempts fail on, such as a rate limit or an outage, and slow down or pause until it is gone.',
        at: attempt.endedAt,
      };
    },
  };
}
