import { createFeedbackLoop, type Outcome, type Plan } from '../../packages/agents/src/index.ts';
import { type Random, seededRandom } from '../../packages/core/src/index.ts';
import { gaussian } from '../measure/draws.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const SEEDS = 20;
const WAVES = 10;
const TASKS = 1000;
/** From this wave on, every task is harder than the predictor knows. */
const SHIFT_AT = 6;
const SHIFT = 1.2;
/** What the predictor says, on the logit scale: SLOPE x truth + BIAS + noise. */
const SLOPE = 1.6;
const BIAS = 0.3;
const NOISE = 0.5;
/** The logits of the tasks before the shift; then 82 % succeed, as in examples/data. */
const EASE = 1.75;
const EASE_SPREAD = 0.9;

/** How much of the predictor's mistake is gone when the next wave is planned. */
export async function measureCalibration(): Promise<Figure[]> {
  const runs = Array.from({ length: SEEDS }, (_, seed) =>
    gradeRun(seededRandom(`calibration/${seed}`)),
  );
  const rows = (name: string, of: (grade: Grade) => number, waves: readonly number[]): Figure[] =>
    waves.map((wave) => {
      const values = runs.map((grades) => of(grades[wave - 1] ?? NO_GRADE));
      const target =
        PROMISED.has(wave) && name === CLOSED
          ? ({ is: 'at least', value: 0.8 } as const)
          : undefined;
      return {
        name: `wave ${wave}: ${name}`,
        unit: '',
        ...summary(values),
        ...(target && { target }),
      };
    });
  const waves = Array.from({ length: WAVES }, (_, at) => at + 1);
  const shown = [1, 2, 3, 5, 6, 7, 8, 10];
  return [
    ...rows(CLOSED, ({ raw, calibrated, oracle }) => (raw - calibrated) / (raw - oracle), waves),
    ...shown.flatMap((wave) => [
      ...rows('Brier as predicted', ({ raw }) => raw, [wave]),
      ...rows('Brier recalibrated', ({ calibrated }) => calibrated, [wave]),
      ...rows('Brier of the oracle', ({ oracle }) => oracle, [wave]),
    ]),
  ];
}

const CLOSED = 'share of the gap closed';
const PROMISED = new Set([3, SHIFT_AT + 1]);

/** Brier scores to expect by the true probabilities: no luck of the draw in them. */
interface Grade {
  raw: number;
  calibrated: number;
  /** Of who knows the true probability; a predictor with noise cannot reach it. */
  oracle: number;
}
const NO_GRADE: Grade = { raw: Number.NaN, calibrated: Number.NaN, oracle: Number.NaN };

function gradeRun(random: Random): Grade[] {
  const loop = createFeedbackLoop({}, { random: random.child('feedback') });
  return Array.from({ length: WAVES }, (_, at) => {
    const wave = at + 1;
    const { learning } = loop;
    const grade: Grade = { raw: 0, calibrated: 0, oracle: 0 };
    for (let task = 0; task < TASKS; task += 1) {
      const ease = EASE + EASE_SPREAD * gaussian(random);
      const truth = logistic(ease - (wave >= SHIFT_AT ? SHIFT : 0));
      const predicted = logistic(SLOPE * ease + BIAS + NOISE * gaussian(random));
      const calibrated = learning.calibrate(predicted, ACTION);
      grade.raw += expectedBrier(predicted, truth) / TASKS;
      grade.calibrated += expectedBrier(calibrated, truth) / TASKS;
      grade.oracle += expectedBrier(truth, truth) / TASKS;
      loop.settle(outcomeOf(`${wave}/${task}`, wave, predicted, calibrated, random() < truth));
    }
    loop.closeWave({
      wave,
      startedAt: startOf(wave),
      endedAt: startOf(wave + 1),
      plan: planOf(wave),
      steals: 0,
    });
    return grade;
  });
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

function expectedBrier(probability: number, truth: number): number {
  return truth * (1 - truth) + (probability - truth) ** 2;
}

const ACTION = 'crm.contacts.upsert';
const AGENT = 'ada';

function startOf(wave: number): number {
  return Date.UTC(2026, 0, wave);
}

function outcomeOf(
  taskId: string,
  wave: number,
  predicted: number,
  calibrated: number,
  isSuccess: boolean,
): Outcome {
  const startedAt = startOf(wave);
  return {
    taskId,
    wave,
    action: ACTION,
    priority: 0,
    status: isSuccess ? 'completed' : 'failed',
    agentId: AGENT,
    plannedAgentId: AGENT,
    isControl: false,
    heuristics: [],
    successProbability: predicted,
    calibratedProbability: calibrated,
    predictedDurationMs: 1_000,
    queuedAt: startedAt,
    startedAt,
    endedAt: startedAt + 1_000,
    attemptMs: 1_000,
    timedOutMs: 0,
    attempts: 1,
    isHealed: false,
    failure: isSuccess
      ? null
      : { name: 'Error', message: 'it failed', code: 'FAILED', retryable: false, effect: 'none' },
  };
}

function planOf(wave: number): Plan {
  return {
    wave,
    strategy: 'load_balanced',
    agents: [{ agentId: AGENT, capacity: 1, speed: 1, taskIds: [], loadMs: TASKS * 1_000 }],
    controlTaskIds: [],
    makespanMs: TASKS * 1_000,
    lowerBoundMs: TASKS * 1_000,
    ratio: 1,
    loadBalanceScore: 1,
    baselineRoundRobinMs: TASKS * 1_000,
    guarantee: null,
  };
}
