import type { Interval } from '@buddy/core';
import type {
  AgentSignal,
  CoordinationSignal,
  FeedbackSignals,
  HeuristicSignal,
  PredictionSignal,
} from './signals.ts';

/** A line for one of the feedback files. */
export interface FeedbackRecord {
  /** Within the output folder. */
  path: string;
  record: Record<string, unknown>;
}

/**
 * The lines that a wave adds to the files of phases 16, 18 and 20: snake_case, numbers to 6 significant decimals, lines and
 * keys always in this order.
 * @example
 * for (const { path, record } of feedbackRecords(loop.closeWave(wave))) output.append(path, record);
 */
export function feedbackRecords(signals: FeedbackSignals): FeedbackRecord[] {
  const { wave, heuristics, agents, coordination, predictions } = signals;
  const at = new Date(signals.at).toISOString();
  const line = (path: string, signal: string, record: Record<string, unknown>) => ({
    path,
    record: rounded({ v: 1, signal, wave, at, ...record }),
  });
  return [
    ...heuristics.map((signal) => line(HEURISTICS, 'heuristic_feedback', heuristicRecord(signal))),
    ...agents.map((signal) => line(AGENTS, 'agent_performance', agentRecord(signal))),
    line(COORDINATION, 'multi_agent_coordination', coordinationRecord(coordination)),
    ...predictions.map((signal) =>
      line(PREDICTIONS, 'prediction_validation', predictionRecord(signal)),
    ),
  ];
}

const HEURISTICS = 'phase16/heuristic_feedback.jsonl';
const AGENTS = 'phase18/agent_performance_feedback.jsonl';
const COORDINATION = 'phase18/coordination_feedback.jsonl';
const PREDICTIONS = 'phase20/prediction_feedback.jsonl';

function heuristicRecord(signal: HeuristicSignal) {
  return {
    heuristic: signal.heuristic,
    ...commonFields(signal),
    successes: signal.successes,
    predicted_mean: signal.predictedMean,
    brier: signal.brier,
    baseline_brier: signal.baselineBrier,
    skill: signal.skill,
    lift: signal.lift,
    wilson: pair(signal.wilson),
  };
}

function agentRecord(signal: AgentSignal) {
  return {
    agent_id: signal.agentId,
    action: signal.action,
    ...commonFields(signal),
    successes: signal.successes,
    expected_successes: signal.expectedSuccesses,
    posterior: [signal.posterior.a, signal.posterior.b],
    p_mean: signal.posterior.mean,
    wilson: pair(signal.wilson),
    speed: signal.speed,
    agent_speed: signal.agentSpeed,
    weight: signal.weight,
  };
}

function coordinationRecord(signal: CoordinationSignal) {
  return {
    ...commonFields(signal),
    makespan_ms: signal.makespanMs,
    lower_bound_ms: signal.lowerBoundMs,
    ratio: signal.ratio,
    imbalance: signal.imbalance,
    steals: signal.steals,
    idle_ms: signal.idleMs,
  };
}

function predictionRecord(signal: PredictionSignal) {
  const { recent, calibrator, halfLifeWaves } = signal;
  return {
    scope: signal.action === null ? 'overall' : 'action',
    action: signal.action,
    ...commonFields(signal),
    brier: signal.brier,
    log_loss: signal.logLoss,
    mcb: signal.mcb,
    mcb_null: signal.mcbNull,
    dsc: signal.dsc,
    unc: signal.unc,
    spiegelhalter_z: signal.z,
    calibrated_brier: signal.calibratedBrier,
    drift: signal.drift,
    drift_z: signal.driftZ,
    recent: {
      n: recent.n,
      spiegelhalter_z: recent.z,
      mcb: recent.mcb,
      mcb_null: recent.mcbNull,
    },
    calibrator: calibrator && {
      method: calibrator.method,
      a: calibrator.a,
      b: calibrator.b,
      half_life_waves: halfLifeWaves,
      n: calibrator.n,
    },
    duration_log_bias: signal.durationLogBias,
  };
}

type AnySignal = Pick<HeuristicSignal, 'value' | 'n' | 'confidence'> & { recommendation: string };

function commonFields({ value, n, confidence, recommendation }: AnySignal) {
  return { value, n, confidence, recommendation };
}

function pair({ lower, upper }: Interval): [number, number] {
  return [lower, upper];
}

/** JSON has no infinities: what is beyond all numbers, as the skill against a perfect baseline, is null. */
function rounded(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, roundedValue(value)]),
  );
}

function roundedValue(value: unknown): unknown {
  if (typeof value === 'number') return roundedNumber(value);
  if (Array.isArray(value)) return value.map(roundedValue);
  return isRecord(value) ? rounded(value) : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function roundedNumber(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  // Six decimals for numbers above 1, so that large ones keep their last digits; -0 becomes 0.
  return Math.abs(value) >= 1 ? Number(value.toFixed(6)) : Number(value.toPrecision(6)) + 0;
}
