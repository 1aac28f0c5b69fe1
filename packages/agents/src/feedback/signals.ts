import type { Interval } from '@buddy/core';
import type { ReliabilityStep } from '../scores/score-forecasts.ts';
import type { Calibrator } from './calibrator.ts';

/** What a wave taught. Each list is in the order of its names. */
export interface FeedbackSignals {
  wave: number;
  /** When the wave ended, in ms since the Unix epoch. */
  at: number;
  heuristics: readonly HeuristicSignal[];
  agents: readonly AgentSignal[];
  coordination: CoordinationSignal;
  /** All actions together first. */
  predictions: readonly PredictionSignal[];
}

interface Signal<Recommendation extends string> {
  /** The number that sums it up; which one: see each signal. */
  value: number;
  /** How many outcomes it rests on. With fewer than 8 the recommendation is always to go on as before. */
  n: number;
  /** 1 - width of the 95 % interval, 0..1. */
  confidence: number;
  recommendation: Recommendation;
}

/** What a rule of thumb is worth, by the tasks of the wave whose prediction used it. `value`: its skill. */
export interface HeuristicSignal extends Signal<'keep' | 'retune' | 'retire'> {
  heuristic: string;
  successes: number;
  /** Mean of the predicted probabilities. */
  predictedMean: number;
  brier: number;
  /** The Brier score of giving these tasks the success rate of the whole wave. */
  baselineBrier: number;
  /** 1 - brier / baselineBrier: above 0 when the predictions know more than the average. */
  skill: number;
  /** How many times as often these tasks succeed as all tasks do. */
  lift: number;
  /** Of their success rate. */
  wilson: Interval;
}

/** What is known of an agent at an action, from all waves. `value`: the mean of its posterior. */
export interface AgentSignal extends Signal<'keep' | 'prefer' | 'avoid'> {
  agentId: string;
  action: string;
  successes: number;
  /** How many successes the calibrated predictions promised. */
  expectedSuccesses: number;
  /** Beta; prior Beta(2, 2). */
  posterior: { a: number; b: number; mean: number };
  /** Of its success rate. */
  wilson: Interval;
  /** Work per time at this action, against the predictions; null when nothing was timed yet. */
  speed: number | null;
  /** The same over all its actions, as the next plan takes it. */
  agentSpeed: number;
  /** Its share of the successes per time that all agents together promise at this action, 0..1. */
  weight: number;
}

/** How well the agents shared the work of the wave. `value`: the ratio. */
export interface CoordinationSignal extends Signal<'keep' | 'rebalance'> {
  makespanMs: number;
  /** By the plan's estimates, as in plan.json. */
  lowerBoundMs: number;
  ratio: number;
  /** The busiest agent's time per slot / the mean of all; 1 when even. */
  imbalance: number;
  steals: number;
  /** Slot time without a task; a task that waits for its next try is not idle. */
  idleMs: number;
}

/** How good the predictor was, by its own numbers, before recalibration. `value`: the Brier score. */
export interface PredictionSignal extends Signal<'keep' | 'recalibrate' | 'retrain'> {
  /** Null: all of them together. */
  action: string | null;
  brier: number;
  logLoss: number;
  mcb: number;
  mcbNull: number;
  dsc: number;
  unc: number;
  z: number;
  curve: readonly ReliabilityStep[];
  /** The Brier score of the probabilities that the wave was planned with. */
  calibratedBrier: number;
  /** How much oftener those tasks succeeded than the probabilities they were planned with said; and its Spiegelhalter Z. */
  drift: number;
  driftZ: number;
  /** What the choice to recalibrate rests on: the recent waves, by weight. */
  recent: { n: number; z: number; mcb: number; mcbNull: number };
  /** In force from the next wave on; null: the probabilities stay as predicted. */
  calibrator: Calibrator | null;
  halfLifeWaves: number;
  /** Mean of ln(actual / predicted duration): 0.69 when tasks take twice as long. Null when none was timed. */
  durationLogBias: number | null;
}
