import type { ForecastFit } from './detectors/prediction-drift.ts';
import type { HealthInputs } from './health.ts';
import type { WaveMetrics } from './metrics.ts';

/** What health needs of the waves that have ended: a handful of sums, however many there were. */
export interface HealthTotals {
  add(wave: WaveMetrics, timedOutMs: number, fit: ForecastFit | undefined): void;
  /** @param running The scored tasks of a wave that has not ended. */
  inputs(
    running: { scored: number; succeeded: number },
    anomalies: { criticals: number; warnings: number },
  ): HealthInputs;
}

export function createHealthTotals(): HealthTotals {
  const totals = {
    scored: 0,
    succeeded: 0,
    lowerBoundMs: 0,
    makespanMs: 0,
    capacityMs: 0,
    timedOutMs: 0,
  };
  const scores = { mcb: 0, mcbNull: 0, unc: 0, claimedUnc: 0 }; // each times n

  return {
    add(wave, timedOutMs, fit) {
      totals.scored += wave.scored;
      totals.succeeded += wave.counts.completed;
      totals.lowerBoundMs += wave.lowerBoundMs;
      totals.makespanMs += wave.makespanMs;
      totals.capacityMs += wave.capacity * wave.makespanMs;
      totals.timedOutMs += timedOutMs;
      if (fit === undefined) return;
      scores.mcb += fit.n * fit.mcb;
      scores.mcbNull += fit.n * fit.mcbNull;
      scores.unc += fit.n * fit.unc;
      scores.claimedUnc += fit.n * fit.claimedUnc;
    },
    inputs(running, { criticals, warnings }) {
      const n = Math.max(1, totals.scored);
      return {
        scored: totals.scored + running.scored,
        succeeded: totals.succeeded + running.succeeded,
        lowerBoundMs: totals.lowerBoundMs,
        makespanMs: totals.makespanMs,
        mcb: scores.mcb / n,
        mcbNull: scores.mcbNull / n,
        unc: scores.unc / n,
        claimedUnc: scores.claimedUnc / n,
        capacityMs: totals.capacityMs,
        timedOutMs: totals.timedOutMs,
        criticals,
        warnings,
      };
    },
  };
}
