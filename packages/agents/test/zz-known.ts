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
  /** Of the true probability, which no predictor with noise can reach. */
  oracle: number;
  /** Share of the gap between raw and oracle that recalibration closed. */
  closed: number;
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
    let oracle = 0;
    for (let task = 0; task < tasksPerWave; task += 1) {
      const action = task % actionLogits.length;
      const logit = (actionLogits[action] ?? 0) + DIFFICULTY * normal();
      const truth = logistic(logit - (wave >= shiftAtWave ? shift : 0));
      const predicted = logistic(SLOPE * logit + BIAS + (Number(process.env.HET ?? 0)) * (action - 3) + NOISE * normal());
      const recalibrated = learning.calibrate(predicted, `action-${action}`);
      const isSuccess = random() < truth;
      loop.settle({
        ...blankOutcome(`${wave}/${task}`, wave),
        action: `action-${action}`,
        status: isSuccess ? 'completed' : 'failed',
        successProbability: predicted,
        calibratedProbability: recalibrated,
      });
      raw += expectedBrier(predicted, truth) / tasksPerWave;
      calibrated += expectedBrier(recalibrated, truth) / tasksPerWave;
      oracle += expectedBrier(truth, truth) / tasksPerWave;
    }
    const signals = loop.closeWave(blankWave(wave));
    const overall = signals.predictions.find(({ action }) => action === null);
    grades.push({ raw, calibrated, oracle, closed: (raw - calibrated) / (raw - oracle), overall });
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

function expectedBrier(probability: number, truth: number): number {
  return truth * (1 - probability) ** 2 + (1 - truth) * probability ** 2;
}

function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
