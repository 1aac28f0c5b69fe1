import {
  createFeedbackLoop,
  type Outcome,
  type PredictionSignal,
  type WaveRecord,
} from '@buddy/agents';
import { normalQuantile, seededRandom } from '@buddy/core';
import { outcomeOf, planOf, START } from './task-fixture.ts';

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
  /** Of each task's true probability: the oracle of `bench`, beyond reach, for no prediction tells it exactly. */
  truth: number;
  /** Of the mean true probability of all tasks with the same prediction: the best that recalibration can do. */
  bestRecalibration: number;
  /** Share of the gap between raw and best recalibration that was closed. */
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
    let bestRecalibration = 0;
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
      bestRecalibration += expectedBrier(best, probability) / tasksPerWave;
      truth += expectedBrier(probability, probability) / tasksPerWave;
    }
    const signals = loop.closeWave(blankWave(wave));
    const overall = signals.predictions.find(({ action }) => action === null);
    const closed = (raw - calibrated) / (raw - bestRecalibration);
    const closedToTruth = (raw - calibrated) / (raw - truth);
    grades.push({ raw, calibrated, truth, bestRecalibration, closed, closedToTruth, overall });
  }
  return grades;
}

/** A task of ada's that was predicted to succeed with 0.8, and did. */
export function blankOutcome(taskId: string, wave = 1): Outcome {
  return outcomeOf(taskId, {
    wave,
    agentId: 'ada',
    plannedAgentId: 'ada',
    successProbability: 0.8,
    calibratedProbability: 0.8,
  });
}

export function blankWave(wave = 1): WaveRecord {
  return { wave, startedAt: START, endedAt: START + 1_000, steals: 0, plan: planOf({ wave }) };
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
