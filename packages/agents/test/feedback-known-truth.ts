import { normalQuantile, seededRandom } from '@buddy/core';
import { createFeedbackLoop } from '../src/feedback/feedback-loop.ts';
import type { WaveRecord } from '../src/feedback/learning.ts';
import type { PredictionSignal } from '../src/feedback/signals.ts';
import type { Outcome } from '../src/task/outcome.ts';

/** A world whose probabilities are known, and a predictor that is too sure of itself. */
export interface KnownTruth {
  seed: number;
  waves: number;
  tasksPerWave: number;
  /** The logit of success of each action, at medium difficulty. */
  actionLogits: readonly number[];
  /** From this wave on the logit of success is lower by `shift`, and the predictor does not notice. */
  shiftAtWave: number;
  shift: number;
}

/** Brier scores to expect in a wave, by the true probabilities: no luck of the draw in them. */
export interface WaveGrade {
  raw: number;
  calibrated: number;
  /** Of the true probability, which cannot be known from a prediction with noise in it. */
  truth: number;
  /** Of whoever knows this world but sees only the prediction: the best that recalibration can do. */
  oracle: number;
  /** Share of the gap between raw and oracle that recalibration closed. */
  closed: number;
  /** The same of the gap between raw and truth. */
  closedToTruth: number;
  overall: PredictionSignal | undefined;
}

const SLOPE = 1.6;
const BIAS = 0.3;
const NOISE = 0.5;
const DIFFICULTY = 0.9;

/** Lets a feedback loop learn from wave after wave, and grades what it said before each. */
export function gradeOnKnownTruth(world: KnownTruth): WaveGrade[] {
  const { seed, waves, tasksPerWave, actionLogits, shiftAtWave, shift } = world;
  const random = seededRandom(seed);
  const loop = createFeedbackLoop({}, { random: random.child('feedback') });
  const normal = () => normalQuantile(random());
  const grades: WaveGrade[] = [];
  for (let wave = 1; wave <= waves; wave += 1) {
    const { learning } = loop;
    let raw = 0;
    let calibrated = 0;
    let truth = 0;
    let oracle = 0;
    for (let task = 0; task < tasksPerWave; task += 1) {
      const action = task % actionLogits.length;
      const medium = actionLogits[action] ?? 0;
      const logit = medium + DIFFICULTY * normal();
      const drop = wave >= shiftAtWave ? shift : 0;
      const probability = logistic(logit - drop);
      const statedLogit = SLOPE * logit + BIAS + NOISE * normal();
      const predicted = logistic(statedLogit);
      const best = bestGuess(statedLogit, medium, drop);
      const recalibrated = learning.calibrate(predicted, `action-${action}`);
      const isSuccess = random() < probability;
      loop.settle({
        ...blankOutcome(`${wave}/${task}`, wave),
        action: `action-${action}`,
        status: isSuccess ? 'completed' : 'failed',
        successProbability: predicted,
        calibratedProbability: recalibrated,
      });
      raw += expectedBrier(predicted, probability) / tasksPerWave;
      calibrated += expectedBrier(recalibrated, probability) / tasksPerWave;
      oracle += expectedBrier(best, probability) / tasksPerWave;
      truth += expectedBrier(probability, probability) / tasksPerWave;
    }
    const signals = loop.closeWave(blankWave(wave));
    const overall = signals.predictions.find(({ action }) => action === null);
    const closed = (raw - calibrated) / (raw - oracle);
    const closedToTruth = (raw - calibrated) / (raw - truth);
    grades.push({ raw, calibrated, truth, oracle, closed, closedToTruth, overall });
  }
  return grades;
}

export function blankOutcome(taskId: string, wave = 1): Outcome {
  return {
    taskId,
    wave,
    action: 'crm.save',
    priority: 0,
    status: 'completed',
    agentId: 'ada',
    plannedAgentId: 'ada',
    isControl: false,
    heuristics: [],
    successProbability: 0.8,
    calibratedProbability: 0.8,
    predictedDurationMs: 100,
    queuedAt: 0,
    startedAt: 0,
    endedAt: 100,
    attemptMs: 100,
    timedOutMs: 0,
    attempts: 1,
    isHealed: false,
    failure: null,
  };
}

export function blankWave(wave = 1): WaveRecord {
  return {
    wave,
    startedAt: 0,
    endedAt: 1000,
    steals: 0,
    plan: {
      wave,
      strategy: 'load_balanced',
      agents: [],
      controlTaskIds: [],
      makespanMs: 0,
      lowerBoundMs: 0,
      ratio: 1,
      loadBalanceScore: 1,
      baselineRoundRobinMs: 0,
      guarantee: null,
    },
  };
}

/**
 * The mean probability of success of all tasks for which this logit is stated. Those logits are normal: the mean and variance
 * are Bayes' rule for normal priors; the mean of their logistic is MacKay's approximation (1992), right to 0.01.
 */
function bestGuess(statedLogit: number, medium: number, drop: number): number {
  const precision = 1 / DIFFICULTY ** 2 + SLOPE ** 2 / NOISE ** 2;
  const evidence = ((statedLogit - BIAS) * SLOPE) / NOISE ** 2;
  const mean = (medium / DIFFICULTY ** 2 + evidence) / precision - drop;
  return logistic(mean / Math.sqrt(1 + Math.PI / 8 / precision));
}

function expectedBrier(probability: number, truth: number): number {
  return truth * (1 - probability) ** 2 + (1 - truth) * probability ** 2;
}

function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
