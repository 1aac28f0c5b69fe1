import { isSuccess, type Outcome } from '../../task/outcome.ts';
import { createBernoulliCusum } from './bernoulli-cusum.ts';

/** What may be off before anything is seen, in log-odds: the shift by about .8, the slope by .4. */
const FIRST_VARIANCE = { shift: 0.6, slope: 0.15 };
/** How much the shift may move from one task to the next, as a variance: about the last 70 tasks count. */
const DRIFT_VARIANCE = 0.002;
/** No prediction is believed further than this: one failure of a task that was certain shall not turn everything over. */
const LEAST_PROBABILITY = 0.01;

/** How the other agents fare in this wave, against what their tasks' predictions said. */
export interface PeerRecord {
  /** @param outcome A scored one, of another agent. */
  observe(outcome: Outcome): void;
  /**
   * The failure probability of a task, after what befell the others. As predicted where they fare as predicted or better:
   * an agent that keeps its promise is no suspect because others do more.
   */
  expectedFailure(outcome: Outcome): number;
  /** How sure it is that the others, too, fail more than predicted: the sum of their CUSUM. */
  evidence(): number;
  /** Something has changed for all: the line is free to move at once, as at the start. */
  loosen(): void;
  /** Every wave has a calibration of its own: what the last one had wrong says little about it. */
  startWave(): void;
}

/**
 * Recalibrates predictions by what became of the others' tasks: log-odds of failure = shift + slope x predicted log-odds
 * (Platt's line), followed task by task by the dynamic logistic model of West, Harrison & Migon 1985 as an extended Kalman
 * filter. The slope is needed for a predictor that is too sure of itself: its surest tasks are the furthest off.
 */
export function createPeerRecord(): PeerRecord {
  const cusum = createBernoulliCusum();
  let line = firstLine();

  function recalibrated(predicted: number): number {
    return probabilityOf(line.shift + line.slope * logOddsOf(predicted));
  }

  return {
    observe(outcome) {
      const predicted = 1 - outcome.calibratedProbability;
      cusum.add(predicted, !isSuccess(outcome));
      line = learnt(line, logOddsOf(predicted), Number(!isSuccess(outcome)));
    },
    expectedFailure({ calibratedProbability }) {
      const predicted = 1 - calibratedProbability;
      return Math.max(predicted, recalibrated(predicted));
    },
    evidence: () => cusum.sum(),
    loosen() {
      line = { ...firstLine(), shift: line.shift, slope: line.slope };
    },
    startWave() {
      cusum.restart();
      line = firstLine();
    },
  };
}

interface Line {
  shift: number;
  slope: number;
  /** What is not known of them yet: variances, and their covariance. */
  ofShift: number;
  ofSlope: number;
  ofBoth: number;
}

function firstLine(): Line {
  return {
    shift: 0,
    slope: 1,
    ofShift: FIRST_VARIANCE.shift,
    ofSlope: FIRST_VARIANCE.slope,
    ofBoth: 0,
  };
}

/** One step of the filter: what is unknown grows by the drift, then shrinks by what this task tells. */
function learnt(line: Line, logOdds: number, failed: number): Line {
  const expected = probabilityOf(line.shift + line.slope * logOdds);
  const information = expected * (1 - expected);
  const ofShift = line.ofShift + DRIFT_VARIANCE;
  const towardsShift = ofShift + line.ofBoth * logOdds;
  const towardsSlope = line.ofBoth + line.ofSlope * logOdds;
  const scale = 1 + information * (towardsShift + towardsSlope * logOdds);
  const step = (failed - expected) / scale;
  const shrink = information / scale;
  return {
    shift: line.shift + towardsShift * step,
    slope: line.slope + towardsSlope * step,
    ofShift: ofShift - shrink * towardsShift ** 2,
    ofSlope: line.ofSlope - shrink * towardsSlope ** 2,
    ofBoth: line.ofBoth - shrink * towardsShift * towardsSlope,
  };
}

function logOddsOf(probability: number): number {
  const within = Math.max(LEAST_PROBABILITY, Math.min(1 - LEAST_PROBABILITY, probability));
  return Math.log(within / (1 - within));
}

function probabilityOf(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
