import { z } from 'zod';
import type { Entry } from '../contact-book.ts';
import { type FieldValue, searchableField } from './searchable-fields.ts';

export type Predicate = (entry: Entry) => boolean;

/** How deep groups may lie in each other; the provider's own bound is not known. */
const DEEPEST = 10;

const LongestValue = 75;
const Text = z
  .string()
  .max(LongestValue, `value must be shorter than or equal to ${LongestValue} characters`);
const Scalar = z.union(
  [Text, z.number(), z.boolean()],
  'value must be a string, number or boolean',
);
const Bound = z.union([z.number(), Text], 'value must be a number or a date').optional();

const Filter = z.discriminatedUnion(
  'operator',
  [
    z.strictObject({ field: z.string(), operator: z.enum(['eq', 'not_eq']), value: Scalar }),
    z.strictObject({
      field: z.string(),
      operator: z.enum(['contains', 'not_contains']),
      value: Text.min(1, 'value should not be empty'),
    }),
    z.strictObject({ field: z.string(), operator: z.enum(['exists', 'not_exists']) }),
    z.strictObject({
      field: z.string(),
      operator: z.literal('range'),
      value: z
        .strictObject({ gte: Bound, gt: Bound, lte: Bound, lt: Bound })
        .refine(
          (range) => Object.values(range).some((bound) => bound !== undefined),
          'value must have at least one of gte, gt, lte, lt',
        ),
    }),
  ],
  'operator must be one of the following values: eq, not_eq, contains, not_contains, exists, not_exists, range',
);
type Filter = z.output<typeof Filter>;

const Group = z.strictObject({
  group: z.enum(['AND', 'OR'], 'group must be one of the following values: AND, OR'),
  filters: z.array(z.unknown(), 'filters must be an array').min(1, 'filters should not be empty'),
});

export type FilterProblem =
  | { readonly kind: 'unknown field'; readonly field: string }
  | { readonly kind: 'malformed'; readonly complaint: string };

/** A filter that cannot be understood; it is answered with an error, never with a result that ignores it. */
export class FilterProblemError extends Error {
  readonly problem: FilterProblem;

  constructor(problem: FilterProblem) {
    super(problem.kind === 'unknown field' ? problem.field : problem.complaint);
    this.problem = problem;
  }
}

/** All of the filters must hold. @throws {FilterProblemError} */
export function compileFilters(filters: readonly unknown[]): Predicate {
  return allOf(filters.map((filter) => compile(filter, 1)));
}

function compile(filter: unknown, depth: number): Predicate {
  if (depth > DEEPEST) throw malformed(`filters must not lie more than ${DEEPEST} deep`);
  if (typeof filter === 'object' && filter !== null && 'group' in filter) {
    const { group, filters } = check(Group, filter);
    const parts = filters.map((part) => compile(part, depth + 1));
    return group === 'AND' ? allOf(parts) : anyOf(parts);
  }
  return compileFilter(check(Filter, filter));
}

function compileFilter(filter: Filter): Predicate {
  const field = searchableField(filter.field);
  if (!field) throw new FilterProblemError({ kind: 'unknown field', field: filter.field });
  const { read, isDate, mayBeNumber, normalise = (value) => value } = field;
  switch (filter.operator) {
    case 'eq':
    case 'not_eq': {
      const given = typeof filter.value === 'string' ? normalise(filter.value) : filter.value;
      const wanted = isDate ? timeOf(given, filter.field) : given;
      const isEqual = (value: FieldValue) =>
        isList(value) ? value.some((one) => one === wanted) : sameScalar(value, wanted);
      return filter.operator === 'eq'
        ? (entry) => isEqual(read(entry))
        : (entry) => !isEqual(read(entry));
    }
    case 'contains':
    case 'not_contains': {
      if (isDate) throw malformed(`operator ${filter.operator} does not fit ${filter.field}`);
      const part = filter.value.toLowerCase();
      const holds = (value: FieldValue) =>
        isList(value)
          ? value.some((one) => one.toLowerCase().includes(part))
          : typeof value === 'string' && value.toLowerCase().includes(part);
      return filter.operator === 'contains'
        ? (entry) => holds(read(entry))
        : (entry) => !holds(read(entry));
    }
    case 'exists':
      return (entry) => isSet(read(entry));
    case 'not_exists':
      return (entry) => !isSet(read(entry));
    case 'range':
      if (!isDate && !mayBeNumber) throw malformed(`operator range does not fit ${filter.field}`);
      return inRange(filter, read, isDate === true);
  }
}

function inRange(
  { field, value }: Extract<Filter, { operator: 'range' }>,
  read: (entry: Entry) => FieldValue,
  isDate: boolean,
): Predicate {
  const bound = (given: number | string | undefined) =>
    given === undefined ? undefined : numberOf(given, field, isDate);
  const { gte, gt, lte, lt } = {
    gte: bound(value.gte),
    gt: bound(value.gt),
    lte: bound(value.lte),
    lt: bound(value.lt),
  };
  return (entry) => {
    const held = read(entry);
    if (held === undefined || held === '' || typeof held === 'object') return false;
    const number = Number(held);
    return (
      !Number.isNaN(number) &&
      (gte === undefined || number >= gte) &&
      (gt === undefined || number > gt) &&
      (lte === undefined || number <= lte) &&
      (lt === undefined || number < lt)
    );
  };
}

function numberOf(given: number | string, field: string, isDate: boolean): number {
  if (isDate) return timeOf(given, field);
  const number = Number(given);
  if (given === '' || Number.isNaN(number)) throw malformed(`value of ${field} must be a number`);
  return number;
}

/** What `Date.parse` takes beside these differs from engine to engine, and finds a date in almost anything. */
const IsoDate = z.iso.date();
const IsoTime = z.iso.datetime({ offset: true });
const IsoTimeOfNoZone = z.iso.datetime({ local: true });

/** Ms since the epoch, given so or as ISO 8601; without a zone it is UTC. */
function timeOf(given: string | number | boolean, field: string): number {
  if (typeof given === 'number') return given;
  if (IsoDate.safeParse(given).success) return Date.parse(`${given}T00:00:00Z`);
  if (IsoTime.safeParse(given).success) return Date.parse(String(given));
  if (IsoTimeOfNoZone.safeParse(given).success) return Date.parse(`${given}Z`);
  throw malformed(`value of ${field} must be a date as of ISO 8601`);
}

/** What custom fields hold is text, whatever it was; so `48` is found by 48. */
function sameScalar(value: FieldValue, wanted: string | number | boolean): boolean {
  return value === wanted || (typeof value === 'string' && value === String(wanted));
}

function isSet(value: FieldValue): boolean {
  if (isList(value)) return value.length > 0;
  return value !== undefined && value !== '';
}

function isList(value: FieldValue): value is readonly string[] {
  return typeof value === 'object';
}

function allOf(parts: readonly Predicate[]): Predicate {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return (entry) => parts.every((holds) => holds(entry));
}

function anyOf(parts: readonly Predicate[]): Predicate {
  return (entry) => parts.some((holds) => holds(entry));
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    throw malformed(`property ${issue.keys.join(', ')} should not exist in a filter`);
  }
  throw malformed(issue?.message ?? 'filters must be filters');
}

function malformed(complaint: string): FilterProblemError {
  return new FilterProblemError({ kind: 'malformed', complaint });
}
