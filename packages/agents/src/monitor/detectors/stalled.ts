import type { Finding } from '../anomaly.ts';

/** A stall this many times as long as the one that is worth a warning is critical. */
const CRITICAL_TIMES = 3;

export interface StallDetector {
  /** Something happened, or is due: at the end of a pause before a retry, say. */
  sawLife(at: number): void;
  /** @param wave Its open tasks should be moving; without any, nothing can stall. */
  tick(now: number, wave: { openTaskIds(): readonly string[] }): Finding | undefined;
}

/**
 * Notices that a wave stands still: no attempt ended and no task settled for `patienceMs`, announced pauses between
 * attempts left out. Told once when it begins and once when it has lasted three times as long.
 */
export function createStallDetector(startedAt: number, patienceMs: number): StallDetector {
  let lastLifeAt = startedAt;
  let told = 0;

  return {
    sawLife(at) {
      if (at <= lastLifeAt) return;
      lastLifeAt = at;
      told = 0;
    },
    tick(now, wave) {
      const statistic = now - lastLifeAt;
      const level = levelOf(statistic, patienceMs);
      if (level <= told) return undefined;
      const evidence = wave.openTaskIds();
      if (evidence.length === 0) return undefined;
      told = level;
      return {
        kind: 'stalled',
        severity: level === 2 ? 'critical' : 'warning',
        scope: { kind: 'wave' },
        statistic,
        threshold: level === 2 ? patienceMs * CRITICAL_TIMES : patienceMs,
        evidence,
        recommendation:
          'See what the open tasks wait for; cancel the wave if nothing answers any more.',
        at: now,
      };
    },
  };
}

function levelOf(silentMs: number, patienceMs: number): 0 | 1 | 2 {
  if (patienceMs <= 0 || silentMs <= patienceMs) return 0;
  return silentMs > patienceMs * CRITICAL_TIMES ? 2 : 1;
}
