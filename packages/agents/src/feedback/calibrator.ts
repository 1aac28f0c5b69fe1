import { assertForecasts, type Forecasts } from '../scores/forecasts.ts';

/** A line on the logit scale: logit(calibrated) = a logit(stated) + b. */
export interface LogitLine {
  /** Below 1: the predictor is overconfident. */
  a: number;
  /** Below 0: it promises too much. */
  b: number;
}

/** Turns the probabilities that a predictor states into the ones that it should have stated. */
export interface Calibrator extends LogitLine {
  method: 'platt';
  /** How many outcomes it was learnt from. */
  n: number;
  /** Standard error of `a`. */
  slopeError: number;
  /**
   * How much likelier than the center it makes those outcomes: twice the log likelihood ratio, scaled for weights. Chi-square
   * with 2 degrees of freedom when the center is right (Cox 1958).
   */
  gain: number;
}

export interface FitOptions {
  /** Where the line is drawn to when there is little to learn from. Default: leave the probabilities as they are. */
  center?: LogitLine | undefined;
  /** How strongly: the precision of a normal prior for `a` and `b` around the center. Default 0.001. */
  ridge?: number | undefined;
}

export const IDENTITY: LogitLine = { a: 1, b: 0 };

/** Finer claims cannot be checked in thousands of tasks, and one that fails would outweigh all others. */
const FINEST = 1e-3;

/**
 * Learns a calibrator by Platt scaling (Platt 1999) of the logit: penalised logistic regression by Newton's method. As Platt
 * advises, outcomes count as (successes + 1) / (successes + 2) and 1 / (failures + 2), so that eight successes in a row are
 * no reason to promise success.
 * @throws {StatisticsInputError} Without forecasts, or when one of them is not usable.
 * @example
 * const calibrator = fitCalibrator({ probabilities, outcomes });
 * calibrate(0.95, calibrator); // 0.85, of an overconfident predictor
 */
export function fitCalibrator(
  forecasts: Forecasts,
  { center = IDENTITY, ridge = 1e-3 }: FitOptions = {},
): Calibrator {
  assertForecasts(forecasts);
  const rows = regressionRows(forecasts);
  const penalty = { center, ridge };
  let line = center;
  let loss = penalisedLoss(rows, line, penalty);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const step = newtonStep(rows, line, penalty);
    if (Math.abs(step.a) + Math.abs(step.b) < LAST_STEP) {
      line = stepped(line, step, 1);
      break;
    }
    // The loss is convex, but far from its minimum a whole step may go too far.
    let length = 1;
    let next = stepped(line, step, length);
    let nextLoss = penalisedLoss(rows, next, penalty);
    while (nextLoss > loss && length > SHORTEST_STEP) {
      length /= 2;
      next = stepped(line, step, length);
      nextLoss = penalisedLoss(rows, next, penalty);
    }
    line = next;
    loss = nextLoss;
  }
  return {
    method: 'platt',
    ...line,
    n: rows.logits.length,
    slopeError: slopeError(rows, line, ridge),
    gain: likelihoodGain(forecasts, rows, line, center),
  };
}

/**
 * The probability that should have been stated: within (0, 1), and rising with the one that was stated if `a` is above 0.
 * @param probability 0..1; nearer to the ends than 0.001 counts as 0.001.
 */
export function calibrate(probability: number, { a, b }: LogitLine): number {
  return logistic(a * logit(probability) + b);
}

/**
 * The calibrator of a part of the data, drawn to that of the whole: of its departure from the center, the share of the gain is
 * believed that exceeds 4, Akaike's price of two parameters. The less a part has to say, the more it takes after the whole.
 */
export function drawnToCenter(part: Calibrator, center: LogitLine): Calibrator {
  const believed = part.gain > PRICE ? 1 - PRICE / part.gain : 0;
  return {
    ...part,
    a: center.a + believed * (part.a - center.a),
    b: center.b + believed * (part.b - center.b),
  };
}

const PRICE = 4;
const MOST_ROUNDS = 50;
const SHORTEST_STEP = 2 ** -10;
/** Each step doubles the right digits: after one this short, all are right. */
const LAST_STEP = 1e-7;

interface RegressionRows {
  logits: Float64Array;
  targets: Float64Array;
  weights: Float64Array;
}

interface Penalty {
  center: LogitLine;
  ridge: number;
}

function regressionRows({ probabilities, outcomes, weights }: Forecasts): RegressionRows {
  const rowWeights = Float64Array.from(probabilities, (_, row) => weights?.[row] ?? 1);
  let successes = 0;
  let failures = 0;
  rowWeights.forEach((weight, row) => {
    if (outcomes[row] === 1) successes += weight;
    else failures += weight;
  });
  const ifSuccess = (successes + 1) / (successes + 2);
  const ifFailure = 1 / (failures + 2);
  return {
    logits: Float64Array.from(probabilities, logit),
    targets: Float64Array.from(outcomes, (outcome) => (outcome === 1 ? ifSuccess : ifFailure)),
    weights: rowWeights,
  };
}

function penalisedLoss(rows: RegressionRows, line: LogitLine, { center, ridge }: Penalty): number {
  const distance = (line.a - center.a) ** 2 + (line.b - center.b) ** 2;
  return -logLikelihood(rows, line) + (ridge / 2) * distance;
}

function logLikelihood({ logits, targets, weights }: RegressionRows, { a, b }: LogitLine): number {
  let sum = 0;
  for (let row = 0; row < logits.length; row += 1) {
    const z = a * (logits[row] ?? 0) + b;
    // target x ln(p) + (1 - target) x ln(1 - p) for p = logistic(z), in a form that cannot overflow
    const likelihood =
      (targets[row] ?? 0) * z - Math.max(z, 0) - Math.log1p(Math.exp(-Math.abs(z)));
    sum += (weights[row] ?? 0) * likelihood;
  }
  return sum;
}

function newtonStep(rows: RegressionRows, line: LogitLine, { center, ridge }: Penalty): LogitLine {
  const { logits, targets, weights } = rows;
  let slopeGradient = ridge * (center.a - line.a);
  let shiftGradient = ridge * (center.b - line.b);
  for (let row = 0; row < logits.length; row += 1) {
    const x = logits[row] ?? 0;
    const error = (weights[row] ?? 0) * ((targets[row] ?? 0) - logistic(line.a * x + line.b));
    slopeGradient += error * x;
    shiftGradient += error;
  }
  const { aa, ab, bb } = information(rows, line, ridge);
  const determinant = aa * bb - ab ** 2;
  return {
    a: (bb * slopeGradient - ab * shiftGradient) / determinant,
    b: (aa * shiftGradient - ab * slopeGradient) / determinant,
  };
}

/** Second derivatives of the loss. */
function information({ logits, weights }: RegressionRows, { a, b }: LogitLine, ridge: number) {
  let aa = ridge;
  let ab = 0;
  let bb = ridge;
  for (let row = 0; row < logits.length; row += 1) {
    const x = logits[row] ?? 0;
    const p = logistic(a * x + b);
    const curvature = (weights[row] ?? 0) * p * (1 - p);
    aa += curvature * x ** 2;
    ab += curvature * x;
    bb += curvature;
  }
  return { aa, ab, bb };
}

function stepped(line: LogitLine, step: LogitLine, length: number): LogitLine {
  return { a: line.a + length * step.a, b: line.b + length * step.b };
}

function slopeError(rows: RegressionRows, line: LogitLine, ridge: number): number {
  const { aa, ab, bb } = information(rows, line, ridge);
  return Math.sqrt((bb / (aa * bb - ab ** 2)) * perEffectiveObservation(rows));
}

function likelihoodGain(
  { outcomes }: Forecasts,
  rows: RegressionRows,
  line: LogitLine,
  center: LogitLine,
): number {
  const asObserved = { ...rows, targets: Float64Array.from(outcomes) };
  const gain = logLikelihood(asObserved, line) - logLikelihood(asObserved, center);
  return (2 * gain) / perEffectiveObservation(rows);
}

/** Sum of w² / sum of w: 1 for weights of 1, lower for older rows, so that a few weights do not pass for many (Kish 1965). */
function perEffectiveObservation({ weights }: RegressionRows): number {
  let sum = 0;
  let squares = 0;
  for (const weight of weights) {
    sum += weight;
    squares += weight ** 2;
  }
  return squares / sum;
}

function logit(probability: number): number {
  const p = Math.min(1 - FINEST, Math.max(FINEST, probability));
  return Math.log(p / (1 - p));
}

function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
