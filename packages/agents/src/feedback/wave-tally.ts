import { isSuccess, type Outcome } from '../task/outcome.ts';
import type { Forecasts } from '../scores/forecasts.ts';

/** What was foretold of scored tasks, and what came of it; a column per field, a row per task. */
export interface ForecastTally {
  predicted: number[];
  calibrated: number[];
  outcomes: number[];
}

export interface ActionTally {
  forecasts: ForecastTally;
  /** Of completed tasks, the last attempt. */
  durationsMs: number[];
  /** Of completed tasks, ln(actual / predicted). */
  durationLogErrors: number[];
}

/** What an agent did of an action. */
export interface AgentActionTally {
  successes: number;
  /** Scored tasks. */
  n: number;
  /** The calibrated probabilities of those tasks. */
  expected: number[];
  /** Of completed tasks, ln(predicted / actual). */
  logSpeeds: number[];
}

/** The scored outcomes that arrived since the last wave was closed. */
export class WaveTally {
  readonly actions = new Map<string, ActionTally>();
  /** By agent, then by action. */
  readonly agents = new Map<string, Map<string, AgentActionTally>>();
  readonly heuristics = new Map<string, ForecastTally>();

  add(outcome: Outcome): void {
    const { action, agentId, attemptMs } = outcome;
    const ofAction = getOrAdd(this.actions, action, emptyActionTally);
    addForecast(ofAction.forecasts, outcome);
    for (const heuristic of new Set(outcome.heuristics)) {
      addForecast(getOrAdd(this.heuristics, heuristic, emptyForecastTally), outcome);
    }
    const logError = durationLogError(outcome);
    if (isSuccess(outcome)) ofAction.durationsMs.push(attemptMs);
    if (logError !== undefined) ofAction.durationLogErrors.push(logError);
    if (agentId === null) return;

    const ofAgent = getOrAdd(this.agents, agentId, () => new Map<string, AgentActionTally>());
    const pair = getOrAdd(ofAgent, action, emptyAgentActionTally);
    pair.n += 1;
    pair.successes += isSuccess(outcome) ? 1 : 0;
    pair.expected.push(outcome.calibratedProbability);
    if (logError !== undefined) pair.logSpeeds.push(-logError);
  }
}

export function emptyActionTally(): ActionTally {
  return { forecasts: emptyForecastTally(), durationsMs: [], durationLogErrors: [] };
}

/**
 * The rows in an order of their own, so that not even the last digit of a score hangs on which task ended first. `predicted`
 * and `calibrated` share their outcomes.
 */
export function sortedForecasts({ predicted, calibrated, outcomes }: ForecastTally): {
  predicted: Forecasts;
  calibrated: Forecasts;
} {
  const order = predicted
    .map((_, row) => row)
    .toSorted(
      (a, b) =>
        difference(predicted, a, b) || difference(calibrated, a, b) || difference(outcomes, a, b),
    );
  const column = (values: number[]) => Float64Array.from(order, (row) => values[row] ?? 0);
  const sharedOutcomes = Uint8Array.from(order, (row) => outcomes[row] ?? 0);
  return {
    predicted: { probabilities: column(predicted), outcomes: sharedOutcomes },
    calibrated: { probabilities: column(calibrated), outcomes: sharedOutcomes },
  };
}

function difference(column: readonly number[], a: number, b: number): number {
  return (column[a] ?? 0) - (column[b] ?? 0);
}

/** Adds from the smallest up, so that the order in which the values came does not show. */
export function sumOf(values: readonly number[]): number {
  return Float64Array.from(values)
    .toSorted()
    .reduce((sum, value) => sum + value, 0);
}

export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : sumOf(values) / values.length;
}

export function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const added = create();
  map.set(key, added);
  return added;
}

/** Undefined unless it completed, and for times of 0, which have no logarithm: a call that takes no time tells no speed. */
function durationLogError(outcome: Outcome): number | undefined {
  const { attemptMs, predictedDurationMs } = outcome;
  if (!isSuccess(outcome) || !(attemptMs > 0) || !(predictedDurationMs > 0)) return undefined;
  return Math.log(attemptMs / predictedDurationMs);
}

function addForecast(tally: ForecastTally, outcome: Outcome): void {
  tally.predicted.push(outcome.successProbability);
  tally.calibrated.push(outcome.calibratedProbability);
  tally.outcomes.push(isSuccess(outcome) ? 1 : 0);
}

function emptyForecastTally(): ForecastTally {
  return { predicted: [], calibrated: [], outcomes: [] };
}

function emptyAgentActionTally(): AgentActionTally {
  return { successes: 0, n: 0, expected: [], logSpeeds: [] };
}
