import { z } from 'zod';

/**
 * Something that is so while it lasts, and forbids cures that would make it worse: a quota that is used up forbids a
 * restart. `until` (ms since the epoch) is when it ends; left out, it lasts as long as the incident that told of it.
 */
export const Condition = z.strictObject({
  name: z.string().min(1),
  until: z.number().nonnegative().optional(),
});
export type Condition = z.output<typeof Condition>;

/** What a signal looks like. */
export const SIGNAL = /^[a-z0-9_]+(?:\.[a-z0-9_]+)*$/;

/** A sign of trouble, as it is reported. */
export const Symptom = z.strictObject({
  /** The resource that it is about, by its id. */
  resource: z.string().min(1).max(200),
  /** What was seen, `what.happened`: `process.exited`, `port.refused`, `http.429`. With the resource, the fingerprint. */
  signal: z.string().max(200).regex(SIGNAL, 'must read like process.exited'),
  /** `decisive` is acted on at once; `ambiguous`, the default, is confirmed by looking again. */
  certainty: z.enum(['decisive', 'ambiguous']).default('ambiguous'),
  /** When it was first so, ms since the epoch. Default: now. */
  firstBad: z.number().nonnegative().optional(),
  /** For people. */
  note: z.string().max(2_000).default(''),
  /** For triggers: exit code, status, a tail of stderr. JSON. */
  data: z.record(z.string(), z.json()).default({}),
  conditions: z.array(Condition).max(20).default([]),
});
export type SymptomInput = z.input<typeof Symptom>;
export type Symptom = z.output<typeof Symptom>;

/** What becomes of a symptom; each has exactly one. */
export const SYMPTOM_OUTCOMES = [
  'restored',
  'restored_with_cause',
  'deduplicated',
  'false_positive',
  'refused_limit',
  'refused_governance',
  'contraindicated',
  'suppressed_maintenance',
  'unmatched',
  'escalated',
  'cleared_externally',
] as const;
export type SymptomOutcome = (typeof SYMPTOM_OUTCOMES)[number];

/** Symptoms with one fingerprint are one incident. */
export function fingerprintOf({ resource, signal }: Pick<Symptom, 'resource' | 'signal'>): string {
  return `${resource} ${signal}`;
}

/** A count for every outcome, none left out. */
export function countOutcomes(
  count: (outcome: SymptomOutcome) => number,
): Record<SymptomOutcome, number> {
  const counts = SYMPTOM_OUTCOMES.map((outcome) => [outcome, count(outcome)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every outcome is named
  return Object.fromEntries(counts) as Record<SymptomOutcome, number>;
}
