import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { Anomaly } from './anomaly.ts';
import { type Health, healthOf } from './health.ts';
import { anomalyRecord } from './records.ts';

const share = z.number().min(0).max(1);
const amount = z.number().min(0);

const Parts = z.strictObject({
  reliability: share,
  efficiency: share,
  calibration: share,
  availability: share,
});

/** `phase21/system_health.json`: the score and all that it was computed from. */
export const SystemHealthRecord = z.strictObject({
  v: z.literal(1),
  at: z.iso.datetime(),
  score: z.number().min(0).max(100).nullable(),
  status: z.enum(['EXCELLENT', 'GOOD', 'FAIR', 'POOR', 'UNKNOWN']),
  parts: Parts,
  weights: Parts,
  inputs: z
    .strictObject({
      scored: z.int().min(0),
      succeeded: z.int().min(0),
      lower_bound_ms: amount,
      makespan_ms: amount,
      mcb: z.number(),
      mcb_null: z.number(),
      unc: amount,
      claimed_unc: amount,
      capacity_ms: amount,
      timed_out_ms: amount,
      criticals: z.int().min(0),
      warnings: z.int().min(0),
    })
    .refine(({ succeeded, scored }) => succeeded <= scored, {
      path: ['succeeded'],
      message: 'no more tasks can succeed than were scored',
    }),
  /** What is wrong now; those that count are in `inputs`. */
  anomalies: z.array(z.unknown()),
});
export type SystemHealthRecord = z.output<typeof SystemHealthRecord>;

/** @param at ms since the Unix epoch. */
export function systemHealthRecord(
  health: Health,
  anomalies: readonly Anomaly[],
  at: number,
): SystemHealthRecord {
  const { score, status, parts, weights, inputs } = health;
  return {
    v: 1,
    at: new Date(at).toISOString(),
    score,
    status,
    parts: partsRecord(parts),
    weights: partsRecord(weights),
    inputs: {
      scored: inputs.scored,
      succeeded: inputs.succeeded,
      lower_bound_ms: inputs.lowerBoundMs,
      makespan_ms: inputs.makespanMs,
      mcb: inputs.mcb,
      mcb_null: inputs.mcbNull,
      unc: inputs.unc,
      claimed_unc: inputs.claimedUnc,
      capacity_ms: inputs.capacityMs,
      timed_out_ms: inputs.timedOutMs,
      criticals: inputs.criticals,
      warnings: inputs.warnings,
    },
    anomalies: anomalies.map(anomalyRecord),
  };
}

/**
 * Computes health anew from a record's own inputs and weights, whatever the record says of score, status and parts: the
 * same as written, to the last digit, unless one of them was changed.
 * @param record What `system_health.json` holds, parsed.
 * @throws {InvalidInputError} Naming the fields that do not fit.
 * @example
 * recomputeHealth(JSON.parse(await readFile('out/phase21/system_health.json', 'utf8'))).score; // 94.1
 */
export function recomputeHealth(record: unknown): Health {
  const { inputs, weights } = parseOrThrow(SystemHealthRecord, record, 'system health record');
  return healthOf(
    {
      scored: inputs.scored,
      succeeded: inputs.succeeded,
      lowerBoundMs: inputs.lower_bound_ms,
      makespanMs: inputs.makespan_ms,
      mcb: inputs.mcb,
      mcbNull: inputs.mcb_null,
      unc: inputs.unc,
      claimedUnc: inputs.claimed_unc,
      capacityMs: inputs.capacity_ms,
      timedOutMs: inputs.timed_out_ms,
      criticals: inputs.criticals,
      warnings: inputs.warnings,
    },
    weights,
  );
}

function partsRecord({ reliability, efficiency, calibration, availability }: Health['parts']) {
  return { reliability, efficiency, calibration, availability };
}
