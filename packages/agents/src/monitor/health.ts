import { wilsonInterval } from '@buddy/core';
import { relativeCalibrationError, WORTHLESS_ERROR } from './detectors/prediction-drift.ts';
import { rounded } from './rounded.ts';

export type HealthStatus = 'EXCELLENT' | 'GOOD' | 'FAIR' | 'POOR' | 'UNKNOWN';

/** One number for each part of health; each 0..1, 1 when its objective is met. */
export interface HealthParts {
  reliability: number;
  efficiency: number;
  calibration: number;
  availability: number;
}

/** What health is computed from, over all waves so far; rounded to 6 decimals, as it is written. */
export interface HealthInputs {
  /** Completed, failed and timed-out tasks. */
  scored: number;
  succeeded: number;
  /** Summed over the waves that have ended, as are the next ones. */
  lowerBoundMs: number;
  makespanMs: number;
  /** Of the calibrated probabilities; means over the waves, weighted by their scored tasks. */
  mcb: number;
  mcbNull: number;
  unc: number;
  claimedUnc: number;
  /** Time that all slots had, and what of it went into attempts that timed out. */
  capacityMs: number;
  timedOutMs: number;
  /** Anomalies that count. */
  criticals: number;
  warnings: number;
}

export interface Health {
  /** 0..100; null while unknown. */
  score: number | null;
  status: HealthStatus;
  parts: HealthParts;
  weights: HealthParts;
  inputs: HealthInputs;
}

export const HEALTH_WEIGHTS: Readonly<HealthParts> = Object.freeze({
  reliability: 0.4,
  efficiency: 0.2,
  calibration: 0.2,
  availability: 0.2,
});

const FEWEST_OUTCOMES = 8;
const BANDS: readonly (readonly [from: number, status: HealthStatus])[] = [
  [90, 'EXCELLENT'],
  [75, 'GOOD'],
  [60, 'FAIR'],
];
const LEFT_BY_CRITICAL = 0.9;
const LEFT_BY_WARNING = 0.97;
/**
 * A part other than reliability counts no less than this: on its own it can make health POOR (100 x .05^.2 = 55), but a
 * system that does all its work is not as ill as one that does none.
 */
const LEAST_SUPPORT = 0.05;

/**
 * Health as a weighted geometric mean, so that no part can hide behind the others:
 * 100 x reliability^.4 x efficiency^.2 x calibration^.2 x availability^.2 x .9^criticals x .97^warnings.
 *
 * Each part runs from 0 at its floor to 1 at its objective:
 * - reliability: lower bound of the success rate (Wilson 1927, one-sided, 95 %), .5 to .95
 * - efficiency: lower bound of the makespan / makespan, .3 to .9
 * - calibration: relative calibration error, .5 down to 0
 * - availability: share of the slots' time not lost in timed-out attempts, .25 to 1
 *
 * A part about which nothing is known yet is 1. UNKNOWN under 8 scored tasks.
 */
export function healthOf(
  unroundedInputs: HealthInputs,
  weights: Readonly<HealthParts> = HEALTH_WEIGHTS,
): Health {
  const inputs = roundedInputs(unroundedInputs); // so that what is written recomputes to the same score
  const parts = partsOf(inputs);
  const score = inputs.scored < FEWEST_OUTCOMES ? null : scoreOf(parts, weights, inputs);
  return {
    score,
    status: score === null ? 'UNKNOWN' : statusOf(score),
    parts: {
      reliability: rounded(parts.reliability),
      efficiency: rounded(parts.efficiency),
      calibration: rounded(parts.calibration),
      availability: rounded(parts.availability),
    },
    weights: { ...weights },
    inputs,
  };
}

function partsOf(inputs: HealthInputs): HealthParts {
  return {
    reliability: between(0.5, 0.95, successLowerBound(inputs)),
    efficiency: supporting(0.3, 0.9, share(inputs.lowerBoundMs, inputs.makespanMs)),
    calibration: supporting(WORTHLESS_ERROR, 0, relativeCalibrationError(inputs)),
    availability: supporting(0.25, 1, 1 - share(inputs.timedOutMs, inputs.capacityMs, 0)),
  };
}

function scoreOf(parts: HealthParts, weights: HealthParts, inputs: HealthInputs): number {
  const mean =
    parts.reliability ** weights.reliability *
    parts.efficiency ** weights.efficiency *
    parts.calibration ** weights.calibration *
    parts.availability ** weights.availability;
  return rounded(
    100 * mean * LEFT_BY_CRITICAL ** inputs.criticals * LEFT_BY_WARNING ** inputs.warnings,
  );
}

function statusOf(score: number): HealthStatus {
  return BANDS.find(([from]) => score >= from)?.[1] ?? 'POOR';
}

function successLowerBound({ succeeded, scored }: HealthInputs): number {
  return wilsonInterval(succeeded, scored, { sides: 'lower' }).lower;
}

function share(part: number, whole: number, ofNothing = 1): number {
  return whole > 0 ? part / whole : ofNothing;
}

function supporting(floor: number, objective: number, value: number): number {
  return Math.max(LEAST_SUPPORT, between(floor, objective, value));
}

function between(floor: number, objective: number, value: number): number {
  return Math.max(0, Math.min(1, (value - floor) / (objective - floor)));
}

function roundedInputs(inputs: HealthInputs): HealthInputs {
  return {
    scored: inputs.scored,
    succeeded: inputs.succeeded,
    lowerBoundMs: rounded(inputs.lowerBoundMs),
    makespanMs: rounded(inputs.makespanMs),
    mcb: rounded(inputs.mcb),
    mcbNull: rounded(inputs.mcbNull),
    unc: rounded(inputs.unc),
    claimedUnc: rounded(inputs.claimedUnc),
    capacityMs: rounded(inputs.capacityMs),
    timedOutMs: rounded(inputs.timedOutMs),
    criticals: inputs.criticals,
    warnings: inputs.warnings,
  };
}
