import type { AgentActionTally } from './wave-tally.ts';
import { getOrAdd, sumOf } from './wave-tally.ts';
import { FEWEST_OBSERVATIONS } from './options.ts';

const PRIOR = { a: 2, b: 2 };

/** What an agent did of an action, over all waves. */
export interface TrackRecord {
  successes: number;
  n: number;
  /** Sum of the calibrated probabilities, and of their variances p(1 - p). */
  expected: number;
  variance: number;
  /** How many tasks were timed, and by weight: the sum of ln(predicted / actual), and of the weights. */
  timed: number;
  logSpeedSum: number;
  timedWeight: number;
}

export interface Posterior {
  a: number;
  b: number;
  mean: number;
}

export const PRIOR_POSTERIOR: Posterior = Object.freeze(posteriorOf({ successes: 0, n: 0 }));

export function posteriorOf({ successes, n }: Pick<TrackRecord, 'successes' | 'n'>): Posterior {
  const a = PRIOR.a + successes;
  const b = PRIOR.b + n - successes;
  return { a, b, mean: a / (a + b) };
}

/**
 * How fast an agent works: exp of the mean of ln(predicted / actual), each wave counting less with age.
 *
 * Of logarithms, for times are about lognormal: the mean of the ratios themselves would be exp(s²/2) too high, and jump with
 * each task that ends early. Of whole waves, and not smoothed from task to task: with a smoothing of 0.2 only some nine tasks
 * would count, which leaves an error of s/3 however many were done.
 *
 * If all durations are predicted too short, all agents are slow alike, and what the plan makes of them is still right.
 */
export function speedOf(records: Iterable<TrackRecord>): number | null {
  let sum = 0;
  let weight = 0;
  for (const { logSpeedSum, timedWeight } of records) {
    sum += logSpeedSum;
    weight += timedWeight;
  }
  return weight === 0 ? null : Math.exp(sum / weight);
}

/** The track records of all agents. */
export class TrackRecords {
  readonly #byAgent = new Map<string, Map<string, TrackRecord>>();

  close(wave: ReadonlyMap<string, ReadonlyMap<string, AgentActionTally>>, decay: number): void {
    for (const records of this.#byAgent.values()) {
      for (const record of records.values()) {
        record.logSpeedSum *= decay;
        record.timedWeight *= decay;
      }
    }
    for (const [agentId, actions] of wave) {
      const records = getOrAdd(this.#byAgent, agentId, () => new Map<string, TrackRecord>());
      for (const [action, tally] of actions)
        addTally(getOrAdd(records, action, emptyRecord), tally);
    }
  }

  /** By agent, then by action, each in the order of their names. */
  *entries(): Generator<{ agentId: string; action: string; record: TrackRecord }> {
    for (const [agentId, records] of sortedByKey(this.#byAgent)) {
      for (const [action, record] of sortedByKey(records)) yield { agentId, action, record };
    }
  }

  /** As it may be acted on: 1 until 8 tasks were timed, and never beyond 100 times faster or slower than predicted. */
  speeds(): Map<string, number> {
    const speeds = new Map<string, number>();
    for (const [agentId, records] of this.#byAgent) {
      const sorted = sortedByKey(records).map(([, record]) => record);
      const timed = sorted.reduce((sum, record) => sum + record.timed, 0);
      const speed = speedOf(sorted);
      speeds.set(agentId, speed === null || timed < FEWEST_OBSERVATIONS ? 1 : clamped(speed));
    }
    return speeds;
  }
}

/** Predictions in the wrong unit must not make one agent look as fast as all others together. */
const FASTEST = 100;

function clamped(speed: number): number {
  return Math.min(FASTEST, Math.max(1 / FASTEST, speed));
}

export function sortedByKey<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

function addTally(record: TrackRecord, tally: AgentActionTally): void {
  record.successes += tally.successes;
  record.n += tally.n;
  record.expected += sumOf(tally.expected);
  record.variance += sumOf(tally.expected.map((p) => p * (1 - p)));
  record.timed += tally.logSpeeds.length;
  record.logSpeedSum += sumOf(tally.logSpeeds);
  record.timedWeight += tally.logSpeeds.length;
}

function emptyRecord(): TrackRecord {
  return {
    successes: 0,
    n: 0,
    expected: 0,
    variance: 0,
    timed: 0,
    logSpeedSum: 0,
    timedWeight: 0,
  };
}
