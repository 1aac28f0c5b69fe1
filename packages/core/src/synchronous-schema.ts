import type { z } from 'zod';

/**
 * Whether a schema surely calls nothing that its author wrote, and so surely has no asynchronous part. An allow-list of what
 * only declares: for all else, and for all that later versions of zod add, the answer is no.
 */
export function onlyDeclares(schema: z.core.$ZodType): boolean {
  const known = answers.get(schema);
  if (known !== undefined) return known;
  const answer = declares(schema, new Set());
  answers.set(schema, answer);
  return answer;
}

const answers = new WeakMap<z.core.$ZodType, boolean>();

/** By kind, under which names its parts are schemas. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  string: [],
  number: [],
  int: [],
  boolean: [],
  bigint: [],
  date: [],
  null: [],
  undefined: [],
  any: [],
  unknown: [],
  never: [],
  literal: [],
  enum: [],
  object: ['shape', 'catchall'],
  array: ['element'],
  tuple: ['items', 'rest'],
  record: ['keyType', 'valueType'],
  union: ['options'],
  intersection: ['left', 'right'],
  optional: ['innerType'],
  nullable: ['innerType'],
  nonoptional: ['innerType'],
  readonly: ['innerType'],
};

const CHECKS: ReadonlySet<unknown> = new Set([
  'less_than',
  'greater_than',
  'multiple_of',
  'number_format',
  'bigint_format',
  'max_size',
  'min_size',
  'size_equals',
  'max_length',
  'min_length',
  'length_equals',
  'string_format',
]);

/** Words for what is wrong, which zod itself keeps as a function. */
const MESSAGE = 'error';

function declares(schema: z.core.$ZodType, seen: Set<object>): boolean {
  if (seen.has(schema)) return true; // it is in itself; what is on the way there decides
  seen.add(schema);
  const def = definitionOf(schema);
  const parts = Object.hasOwn(PARTS, def.type) ? PARTS[def.type] : undefined;
  if (!parts || holdsCode(def)) return false;
  const checks = (def.checks ?? []).map((check) => definitionOf(check));
  return (
    checks.every((check) => CHECKS.has(check.check) && !holdsCode(check)) &&
    parts.every((name) => schemasIn(Reflect.get(def, name)).every((part) => declares(part, seen)))
  );
}

function definitionOf<Definition>({ _zod: { def } }: { _zod: { def: Definition } }): Definition {
  return def;
}

function holdsCode(def: object): boolean {
  return Object.entries(Object.getOwnPropertyDescriptors(def)).some(
    ([name, { value }]) => name !== MESSAGE && typeof value === 'function',
  );
}

/** One schema, a list of them, a record of them, or none. */
function schemasIn(part: unknown): z.core.$ZodType[] {
  if (typeof part !== 'object' || part === null) return [];
  return isSchema(part) ? [part] : Object.values(part).flatMap((inner) => schemasIn(inner));
}

function isSchema(value: object): value is z.core.$ZodType {
  return '_zod' in value;
}
