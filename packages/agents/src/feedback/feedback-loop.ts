import { parseOrThrow, type Random, systemRandom } from '@buddy/core';
import { isScored, type Outcome } from '../task/outcome.ts';
import { actedOnPosterior, agentSignals } from './agent-signals.ts';
import { BusyTimes } from './coordination.ts';
import { WaveOrderError } from './errors.ts';
import { heuristicSignals } from './heuristic-signals.ts';
import { type Learning, NOTHING_LEARNT, type WaveRecord } from './learning.ts';
import { type FeedbackInput, FeedbackOptions } from './options.ts';
import { PredictorReview } from './prediction-signals.ts';
import type { FeedbackSignals } from './signals.ts';
import { PRIOR_POSTERIOR, type Posterior, TrackRecords } from './track-record.ts';
import { RecentDurations } from './typical-duration.ts';
import { type ActionTally, getOrAdd, WaveTally } from './wave-tally.ts';

/** Compares what was predicted with what happened, and teaches the next wave. */
export interface FeedbackLoop {
  /** What the waves closed so far taught. Frozen: `closeWave` puts another one in its place. */
  readonly learning: Learning;
  /**
   * Takes the end of a task into account, in whichever wave is open when it comes. A task that waits may settle later;
   * denied, cancelled and skipped ones are settled but not scored.
   * @returns Whether it settled the prediction; false when it waits, or was settled before.
   */
  settle(outcome: Outcome): boolean;
  /**
   * Says what came since the last wave was closed, and learns from it.
   * @throws {WaveOrderError} Unless its number is higher than that of the last one closed.
   */
  closeWave(record: WaveRecord): FeedbackSignals;
}

export interface FeedbackPorts {
  /** Draws the outcomes that show what chance alone does. Seeded, it makes all figures repeatable. */
  random?: Random;
}

/**
 * Creates a loop that has learnt nothing yet. The half-life of what it learns is 1.5 waves; it acts on nothing seen fewer
 * than 8 times. What it learns does not depend on the order in which the outcomes of a wave come.
 *
 * Memory: ids of settled tasks, and of recent waves a few numbers per task.
 * @throws {InvalidInputError} For options that do not fit.
 * @example
 * const loop = createFeedbackLoop({}, { random: seededRandom(23) });
 * for (const outcome of outcomes) loop.settle(outcome);
 * const signals = loop.closeWave(record);
 * loop.learning.calibrate(0.95, 'crm.save'); // 0.85, of an overconfident predictor
 */
export function createFeedbackLoop(
  input: FeedbackInput = {},
  { random = systemRandom }: FeedbackPorts = {},
): FeedbackLoop {
  const options = parseOrThrow(FeedbackOptions, input, 'options of createFeedbackLoop');
  const decay = 0.5 ** (1 / options.halfLifeWaves);
  const settledIds = new Set<string>();
  const busyTimes = new BusyTimes();
  const predictor = new PredictorReview(options);
  const trackRecords = new TrackRecords();
  const durations = new Map<string, RecentDurations>();
  let tally = new WaveTally();
  let learning = NOTHING_LEARNT;
  let lastClosedWave = -Infinity;

  function settle(outcome: Outcome): boolean {
    if (settledIds.has(outcome.taskId)) return false;
    if (outcome.status === 'waiting') {
      busyTimes.noteWaiting(outcome.taskId);
      return false;
    }
    settledIds.add(outcome.taskId);
    busyTimes.add(outcome);
    if (isScored(outcome)) tally.add(outcome);
    return true;
  }

  function closeWave(record: WaveRecord): FeedbackSignals {
    const { wave, endedAt } = record;
    if (wave <= lastClosedWave) throw new WaveOrderError(wave, lastClosedWave);
    lastClosedWave = wave;
    const { actions, agents, heuristics } = tally;
    tally = new WaveTally();
    trackRecords.close(agents, decay);
    closeDurations(durations, actions, decay);
    const signals = {
      wave,
      at: endedAt,
      heuristics: heuristicSignals(heuristics, successRate(actions)),
      agents: agentSignals(trackRecords),
      coordination: busyTimes.close(record),
      predictions: predictor.close(actions, random.child(`wave/${wave}`)),
    };
    learning = freezeLearning(predictor, trackRecords, durations);
    return signals;
  }

  return {
    get learning() {
      return learning;
    },
    settle,
    closeWave,
  };
}

function successRate(actions: ReadonlyMap<string, ActionTally>): number {
  let successes = 0;
  let n = 0;
  for (const { forecasts } of actions.values()) {
    n += forecasts.outcomes.length;
    for (const outcome of forecasts.outcomes) successes += outcome;
  }
  return n === 0 ? 0 : successes / n;
}

function closeDurations(
  durations: Map<string, RecentDurations>,
  actions: ReadonlyMap<string, ActionTally>,
  decay: number,
): void {
  for (const action of actions.keys()) getOrAdd(durations, action, () => new RecentDurations());
  for (const [action, recent] of durations) {
    recent.close(actions.get(action)?.durationsMs ?? [], decay);
  }
}

function freezeLearning(
  predictor: PredictorReview,
  trackRecords: TrackRecords,
  durations: ReadonlyMap<string, RecentDurations>,
): Learning {
  const posteriors = new Map<string, Map<string, Posterior>>();
  for (const { agentId, action, record } of trackRecords.entries()) {
    const ofAgent = getOrAdd(posteriors, agentId, () => new Map<string, Posterior>());
    ofAgent.set(action, Object.freeze(actedOnPosterior(record)));
  }
  const speeds = trackRecords.speeds();
  const medians = new Map<string, number | undefined>();
  for (const [action, recent] of durations) medians.set(action, recent.median());
  return Object.freeze({
    calibrate: predictor.calibration(),
    posterior: (agentId: string, action: string) =>
      posteriors.get(agentId)?.get(action) ?? PRIOR_POSTERIOR,
    speed: (agentId: string) => speeds.get(agentId) ?? 1,
    typicalDurationMs: (action: string) => medians.get(action),
  });
}
