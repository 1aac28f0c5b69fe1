import type { Finding } from '../anomaly.ts';

/** How well a wave's calibrated probabilities fitted what happened; scores as in `../../scores/`. */
export interface ForecastFit {
  /** Scored tasks. */
  n: number;
  /** Spiegelhalter 1986; standard normal when the probabilities are right. */
  z: number;
  /** Miscalibration (CORP), and what of it chance alone would show. */
  mcb: number;
  mcbNull: number;
  /** Variance of the outcomes. */
  unc: number;
  /** Mean p(1 - p): the variance that the probabilities claim. */
  claimedUnc: number;
}

const LIMIT = 3;
/** With fewer tasks, rare failures make Z far from normal. */
const FEWEST_TASKS = 30;
/** A calibration error this large against the spread of the outcomes leaves the probabilities worth nothing. */
export const WORTHLESS_ERROR = 0.5;

/**
 * Notices that the probabilities of a wave were off: |Z| > 3 and more miscalibration than chance shows. Critical when they
 * were worth nothing, by the measure that health uses.
 */
export function findPredictionDrift(
  fit: ForecastFit,
  evidence: readonly string[],
  at: number,
): Finding | undefined {
  if (fit.n < FEWEST_TASKS || Math.abs(fit.z) <= LIMIT || fit.mcb <= fit.mcbNull) return undefined;
  return {
    kind: 'prediction_drift',
    severity: relativeCalibrationError(fit) >= WORTHLESS_ERROR ? 'critical' : 'warning',
    scope: { kind: 'wave' },
    statistic: Math.abs(fit.z),
    threshold: LIMIT,
    evidence,
    recommendation:
      'Recalibrate the predictor on the latest outcomes; retrain it if the next wave is off again.',
    at,
  };
}

/**
 * Root mean square error of the probabilities beyond chance, against the standard deviation of the outcomes: 0 when
 * calibrated. The deviation is the larger of the one seen and the one claimed: when all goes well none is seen, and
 * probabilities that were only modest should not look worthless.
 */
export function relativeCalibrationError({
  mcb,
  mcbNull,
  unc,
  claimedUnc,
}: Pick<ForecastFit, 'mcb' | 'mcbNull' | 'unc' | 'claimedUnc'>): number {
  const excess = Math.max(0, mcb - mcbNull);
  return excess === 0 ? 0 : Math.sqrt(excess / Math.max(unc, claimedUnc));
}
