import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { AuditEntry } from '../ledger/entry.ts';
import type { FactValue, ReasonCode } from '../policy/decision.ts';

/*
 * An entry as it stands in the log: one JSON object, snake_case, times in ISO 8601, in the canonical form of RFC 8785. Those
 * bytes are the leaf of the tree. The schema is an allow-list and every text in it is bounded: what has no field cannot be
 * written, nor read.
 */

const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .refine((value) => value.isWellFormed(), 'holds half a surrogate pair');

const Id = text(256).min(1);
const Digest = text(128);
const Count = z.int().nonnegative();

/** Not a list of those known today, so that later versions' logs can be read. */
const Code = z.custom<ReasonCode>(
  (value) => typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value),
  'must be a code such as POLICY_ALLOWED',
);

const TierField = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);

const ActorField = z.strictObject({
  kind: z.enum(['agent', 'human', 'system']),
  id: Id,
  onBehalfOf: Id.exactOptional(),
});

const MAX_FACTS = 128;
const LONGEST_FACT = 256;

/** One check and no copy: facts are most of what an entry holds, and a schema for each would take as long as all the rest. */
const Facts = z.custom<Readonly<Record<string, FactValue>>>(
  areFacts,
  `must be at most ${MAX_FACTS} facts: names that begin with a letter; whole texts, numbers, yes or no, or null; none above ${LONGEST_FACT} characters`,
);

function areFacts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  // Nothing that says by itself how it is written (`toJSON`).
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const facts = Object.entries(value);
  return (
    facts.length <= MAX_FACTS &&
    facts.every(([name, fact]) => FACT_NAME.test(name) && isShort(name) && isFact(fact))
  );
}

/** One that begins with a digit would not stay in order. Nor is `__proto__` one, which no copy would keep. */
const FACT_NAME = /^[A-Za-z]/;

function isFact(fact: unknown): boolean {
  if (typeof fact === 'string') return isShort(fact);
  return fact === null || typeof fact === 'boolean' || Number.isFinite(fact);
}

function isShort(words: string): boolean {
  return words.length <= LONGEST_FACT && words.isWellFormed();
}

export const MAX_RATIONALE_CHARS = 280;

const standing = {
  seq: Count,
  at: z
    .int()
    .min(0)
    .max(Date.UTC(9999, 11, 31)),
};

const ofAction = {
  ...standing,
  runId: Id.nullable(),
  taskId: Id.nullable(),
  actor: ActorField,
  action: Id,
  rule: Id,
  reasonCode: Code,
  rationale: text(MAX_RATIONALE_CHARS).min(1).nullable(),
  facts: Facts,
  argumentsDigest: Digest,
  approvalId: Id.nullable(),
  policyDigest: Digest,
};

const Intent = z
  .strictObject({
    kind: z.literal('intent'),
    decision: z.literal('allow'),
    tier: TierField,
    ...ofAction,
  })
  .refine(({ tier }) => tier !== 4, { path: ['tier'], error: 'an action of tier 4 is never done' })
  .refine(({ tier, rationale }) => tier === 1 || rationale !== null, {
    path: ['rationale'],
    error: 'is required for tiers 2 and 3',
  });

const Refusal = z.strictObject({
  kind: z.literal('refusal'),
  decision: z.enum(['deny', 'approve']),
  tier: TierField,
  ...ofAction,
});

const Outcome = z.strictObject({
  ...standing,
  kind: z.literal('outcome'),
  intentSeq: Count,
  runId: Id.nullable(),
  actor: ActorField,
  action: Id,
  tier: TierField,
  outcome: z.enum(['succeeded', 'failed', 'unknown']),
  errorCode: Id.nullable(),
  durationMs: z.number().nonnegative().nullable(),
  tokens: z.strictObject({ in: Count, out: Count }).nullable(),
  cost: z.strictObject({ amount: z.int(), currency: text(16).min(1) }).nullable(),
  policyDigest: Digest,
});

const Approval = z.strictObject({
  ...standing,
  kind: z.literal('approval'),
  event: z.enum([
    'filed',
    'voted',
    'approved',
    'denied',
    'expired',
    'cancelled',
    'invalidated',
    'consumed',
    'escalated',
  ]),
  approvalId: Id,
  action: Id,
  by: ActorField,
  via: z.enum(['form', 'cli', 'api', 'grant', 'fast']).nullable(),
});

const PolicyChange = z.strictObject({
  ...standing,
  kind: z.literal('policy'),
  event: z.enum(['loaded', 'rejected', 'rolled_back']),
  policyDigest: Digest.nullable(),
  by: ActorField,
  reasonCode: Id.nullable(),
});

const Control = z.strictObject({
  ...standing,
  kind: z.literal('control'),
  event: z.enum([
    'kill_switch_on',
    'kill_switch_off',
    'fast_approve_on',
    'fast_approve_off',
    'grant_made',
    'grant_revoked',
  ]),
  by: ActorField,
  reasonCode: Id.nullable(),
});

const Entry = z.discriminatedUnion('kind', [
  Intent,
  Refusal,
  Outcome,
  Approval,
  PolicyChange,
  Control,
]);

/**
 * The record of an entry, in the very characters that are hashed.
 * @throws {InvalidInputError} When a field is unknown, missing, too long or of the wrong type.
 */
export function recordOf(entry: AuditEntry): string {
  // What RFC 8785 asks beside sorted fields is what JSON.stringify does by itself: it was written after it.
  return JSON.stringify(toRecord(parseOrThrow(Entry, entry, 'audit entry')));
}

/**
 * Reads a record.
 * @throws {InvalidInputError} When it is not what `recordOf` writes.
 */
export function readRecord(record: string): AuditEntry {
  const fields = parseOrThrow(Fields, parseJson(record), 'audit record');
  return parseOrThrow(Entry, fromRecord(fields), 'audit record');
}

/** Its fields' names are data. */
const DATA = 'facts';

const Fields = z
  .looseObject({ at: z.iso.datetime({ precision: 3 }) })
  .refine(
    (record) => Object.keys(record).every((field) => /^[a-z]+(_[a-z]+)*$/.test(field)),
    'fields are written in snake_case',
  );

function toRecord(value: object): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, field] of sortedFields(value)) {
    const written: unknown = Reflect.get(value, name);
    record[field] =
      name === 'at' ? new Date(Number(written)).toISOString() : writtenValue(name, written);
  }
  return record;
}

function writtenValue(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return name === DATA ? sorted(value) : toRecord(value);
}

/** Names of fields with what they are called on the disk, in that order. There are as many as schemas have, and no more. */
const orders = new Map<string, readonly (readonly [name: string, field: string])[]>();

function sortedFields(value: object): readonly (readonly [name: string, field: string])[] {
  const names = Object.keys(value);
  const key = names.join();
  const known = orders.get(key);
  if (known) return known;
  const order = names
    .map((name) => [name, toSnakeCase(name)] as const)
    .toSorted(([, a], [, b]) => (a < b ? -1 : 1));
  orders.set(key, order);
  return order;
}

function sorted(facts: object): object {
  const entries = Object.entries(facts);
  return entries.length < 2
    ? facts
    : Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function fromRecord(record: object): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [field, written] of Object.entries(record)) {
    const isNested = typeof written === 'object' && written !== null && field !== DATA;
    value[toCamelCase(field)] =
      field === 'at' ? Date.parse(String(written)) : isNested ? fromRecord(written) : written;
  }
  return value;
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamelCase(field: string): string {
  return field.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // no object, as the schema says
  }
}
