import { wilsonInterval } from '@buddy/core';
import { FEWEST_OBSERVATIONS } from './options.ts';
import type { AgentSignal } from './signals.ts';
import {
  posteriorOf,
  PRIOR_POSTERIOR,
  speedOf,
  type TrackRecord,
  type TrackRecords,
} from './track-record.ts';

const MOST_Z = 3;

export function agentSignals(records: TrackRecords): AgentSignal[] {
  const entries = [...records.entries()];
  const speeds = records.speeds();
  const yieldOf = ({ agentId, record }: { agentId: string; record: TrackRecord }) =>
    (speeds.get(agentId) ?? 1) * actedOnPosterior(record).mean;
  const yields = new Map<string, number>();
  for (const entry of entries) {
    yields.set(entry.action, (yields.get(entry.action) ?? 0) + yieldOf(entry));
  }
  return entries.map((entry) => {
    const { agentId, action, record } = entry;
    const { successes, n, expected } = record;
    const posterior = posteriorOf(record);
    const wilson = wilsonInterval(successes, n);
    return {
      agentId,
      action,
      value: posterior.mean,
      n,
      confidence: 1 - (wilson.upper - wilson.lower),
      recommendation: recommendation(record),
      successes,
      expectedSuccesses: expected,
      posterior,
      wilson,
      speed: speedOf([record]),
      agentSpeed: speeds.get(agentId) ?? 1,
      weight: yieldOf(entry) / (yields.get(action) ?? 1),
    };
  });
}

/** The prior until there is enough to act on. */
export function actedOnPosterior(record: TrackRecord) {
  return record.n < FEWEST_OBSERVATIONS ? PRIOR_POSTERIOR : posteriorOf(record);
}

/** Judged against what its own tasks promised, so that whoever is given the hard ones does not look bad. */
function recommendation({
  successes,
  n,
  expected,
  variance,
}: TrackRecord): AgentSignal['recommendation'] {
  if (n < FEWEST_OBSERVATIONS || variance === 0) return 'keep';
  const z = (successes - expected) / Math.sqrt(variance);
  if (z > MOST_Z) return 'prefer';
  return z < -MOST_Z ? 'avoid' : 'keep';
}
