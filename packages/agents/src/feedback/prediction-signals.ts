import { type Random, wilsonInterval } from '@buddy/core';
import type { Forecasts } from '../scores/forecasts.ts';
import { brierScore, spiegelhalterZ } from '../scores/proper-scores.ts';
import { scoreForecasts } from '../scores/score-forecasts.ts';
import { type Calibrator, calibrate } from './calibrator.ts';
import { ForecastTrack, type Pool } from './forecast-track.ts';
import type { FeedbackOptions } from './options.ts';
import type { PredictionSignal } from './signals.ts';
import { sortedByKey } from './track-record.ts';
import {
  type ActionTally,
  emptyActionTally,
  getOrAdd,
  meanOf,
  sortedForecasts,
} from './wave-tally.ts';

/** Judges the predictor, action by action and as a whole, and corrects it where it is off. */
export class PredictorReview {
  readonly #options: FeedbackOptions;
  readonly #overall: ForecastTrack;
  readonly #byAction = new Map<string, ForecastTrack>();

  constructor(options: FeedbackOptions) {
    this.#options = options;
    this.#overall = new ForecastTrack(options);
  }

  /**
   * The signals of a wave: all actions together, then each that had a scored task.
   * @param random Of this wave.
   */
  close(tallies: ReadonlyMap<string, ActionTally>, random: Random): PredictionSignal[] {
    const signals = [this.#review(null, this.#overall, merged(tallies), random.child('overall'))];
    for (const action of tallies.keys()) {
      getOrAdd(this.#byAction, action, () => new ForecastTrack(this.#options));
    }
    const pool = { line: this.#overall.calibrator };
    // Actions without a task in this wave too: what is known of them ages.
    for (const [action, track] of sortedByKey(this.#byAction)) {
      const tally = tallies.get(action) ?? emptyActionTally();
      signals.push(this.#review(action, track, tally, random.child(`action/${action}`), pool));
    }
    return signals.filter((signal) => signal !== undefined);
  }

  /** The calibration that the waves so far ask for; later waves do not change it. */
  calibration(): (probability: number, action: string) => number {
    const overall = this.#overall.calibrator;
    const byAction = new Map<string, Calibrator>();
    for (const [action, { calibrator }] of this.#byAction) {
      if (calibrator) byAction.set(action, calibrator);
    }
    return (probability, action) => {
      const line = byAction.get(action) ?? overall;
      return line ? calibrate(probability, line) : probability;
    };
  }

  #review(
    action: string | null,
    track: ForecastTrack,
    tally: ActionTally,
    random: Random,
    pool?: Pool,
  ): PredictionSignal | undefined {
    const { predicted, calibrated } = sortedForecasts(tally.forecasts);
    track.close({ predicted, calibrated }, random, pool);
    if (predicted.probabilities.length === 0) return undefined;

    const { halfLifeWaves, redraws } = this.#options;
    const scores = scoreForecasts(predicted, { random: random.child('wave'), redraws });
    const { lower, upper } = wilsonInterval(scores.brier * scores.n, scores.n);
    return {
      action,
      value: scores.brier,
      confidence: 1 - (upper - lower), // of any mean of numbers within 0..1, as squared errors are
      recommendation: track.recommendation,
      ...scores,
      calibratedBrier: brierScore(calibrated),
      drift: meanExcess(calibrated),
      driftZ: spiegelhalterZ(calibrated),
      recent: track.evidence,
      calibrator: track.calibrator ?? null,
      halfLifeWaves,
      durationLogBias: meanOf(tally.durationLogErrors),
    };
  }
}

function meanExcess({ probabilities, outcomes }: Forecasts): number {
  let sum = 0;
  for (let row = 0; row < probabilities.length; row += 1) {
    sum += (outcomes[row] ?? 0) - (probabilities[row] ?? 0);
  }
  return sum / probabilities.length;
}

function merged(tallies: ReadonlyMap<string, ActionTally>): ActionTally {
  const all = [...tallies.values()];
  return {
    forecasts: {
      predicted: all.flatMap(({ forecasts }) => forecasts.predicted),
      calibrated: all.flatMap(({ forecasts }) => forecasts.calibrated),
      outcomes: all.flatMap(({ forecasts }) => forecasts.outcomes),
    },
    durationsMs: all.flatMap(({ durationsMs }) => durationsMs),
    durationLogErrors: all.flatMap(({ durationLogErrors }) => durationLogErrors),
  };
}
