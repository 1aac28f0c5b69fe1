import { z } from 'zod';
import { unreserved } from '../limits/heal-budget.ts';

const ms = z.number().nonnegative().finite();
const positiveMs = z.number().positive().finite();

/** What a guardian may do alone, by tier. */
const Autonomy = z.strictObject({
  /** Looking. */
  1: z.enum(['auto', 'never']).default('auto'),
  /** Changes that can be taken back. */
  2: z.enum(['auto', 'rehearsed', 'never']).default('auto'),
  /** What is costly or hard to undo. `rehearsed`: while the playbook holds a certificate. `auto`: the gate alone decides. */
  3: z.enum(['auto', 'rehearsed', 'never']).default('rehearsed'),
});

export const GuardianOptions = z.strictObject({
  autonomy: Autonomy.prefault({}),
  /** A certificate is good for so long, in ms. 30 days by default. */
  certificateMs: positiveMs.default(30 * 86_400_000),
  /** Resources are looked at so often, in ms, unless they say otherwise. */
  probeIntervalMs: positiveMs.default(10_000),
  /** A probe or check that takes longer, in ms, is a sign of trouble by itself. */
  probeTimeoutMs: positiveMs.default(2_000),
  /** How an ambiguous symptom is confirmed: so many bad looks, so far apart (ms). */
  confirm: z
    .strictObject({
      samples: z.int().positive().default(2),
      intervalMs: positiveMs.default(500),
    })
    .prefault({}),
  /** After its cause was mended, a dependant is given so long to become well by itself, in ms. */
  causeGraceMs: ms.default(5_000),
  /** No verification waits longer than this for stability, in ms. Default: what the playbook says. For tests. */
  longestStableMs: ms.optional(),
  /** An aborted step is waited for so long, in ms, before it is undone all the same. */
  abortGraceMs: ms.default(1_000),
  /** An undo has so long, in ms. */
  undoTimeoutMs: positiveMs.default(30_000),
  /** A symptom without an outcome after this time, in ms, is escalated, whatever its incident is doing. */
  outcomeDeadlineMs: positiveMs.default(900_000),
  /** An incident that nothing helped is tried again after so long, then twice as long, ..., in ms. */
  retry: z
    .strictObject({
      firstMs: positiveMs.default(60_000),
      longestMs: positiveMs.default(3_600_000),
    })
    .refine(({ firstMs, longestMs }) => firstMs <= longestMs, 'firstMs is more than longestMs')
    .prefault({}),
  limits: z
    .strictObject({
      /** Healings that may be under way at once. */
      concurrent: z.int().positive().default(3),
      restarts: z
        .strictObject({
          most: z.int().positive().default(5),
          windowMs: positiveMs.default(600_000),
          stableMs: positiveMs.default(600_000),
          longestWaitMs: positiveMs.default(3_600_000),
        })
        .refine(
          ({ windowMs, longestWaitMs }) => windowMs <= longestWaitMs,
          'longestWaitMs is less than windowMs, which is the first wait',
        )
        .prefault({}),
      budget: z
        .strictObject({
          most: z.int().positive().default(30),
          windowMs: positiveMs.default(3_600_000),
          reservedShare: z.number().min(0).max(0.9).default(0.3),
        })
        .refine(
          ({ most, reservedShare }) => unreserved(most, reservedShare) >= 1,
          'reservedShare leaves not one healing of `most` for resources on which nothing depends',
        )
        .prefault({}),
      futility: z
        .strictObject({
          failures: z.int().positive().default(2),
          firstRestMs: positiveMs.default(60_000),
          longestRestMs: positiveMs.default(3_600_000),
        })
        .refine(
          ({ firstRestMs, longestRestMs }) => firstRestMs <= longestRestMs,
          'firstRestMs is more than longestRestMs',
        )
        .prefault({}),
      flapping: z
        .strictObject({
          most: z.int().positive().default(4),
          windowMs: positiveMs.default(600_000),
        })
        .prefault({}),
    })
    .prefault({}),
  /** An alert when the mean, p50 or p95 of restoring, or the age of the oldest open incident, passes this, in ms. */
  mttrAlertMs: positiveMs.default(120_000),
  /** Decided symptoms and closed incidents are kept for so long, in ms; they are counted for ever. */
  retentionMs: positiveMs.default(30 * 86_400_000),
});
export type GuardianInput = z.input<typeof GuardianOptions>;
export type GuardianOptions = z.output<typeof GuardianOptions>;
