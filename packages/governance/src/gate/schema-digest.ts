import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';

/**
 * SHA-256, in hex, of what a person who approves is told of a tool, and of what the tool takes: a tool that changed is
 * another.
 */
export function digestOf(value: object): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex');
}

function canonicalText(value: object): string {
  try {
    return canonicalize(value) ?? '';
  } catch {
    return JSON.stringify(value); // half of a surrogate pair, which RFC 8785 knows no form of; the gate refuses it
  }
}

/**
 * What a schema says, as plain data that changes when it does. Known are schemas of zod 4, those that give their JSON Schema
 * (Standard JSON Schema, the AI SDK's `jsonSchema`), JSON Schema itself, and functions that make one of these.
 *
 * Of any other (a Standard Schema that can only validate) nobody can tell from outside whether it has changed: it is named
 * as the object that it is, so that what is bound to it ends with this process, and is never taken for what is bound to
 * another.
 */
export function describeSchema(schema: unknown): unknown {
  if (schema === undefined || schema === null) return null;
  return describe(schema) ?? { unknown: identityOf(schema) };
}

const ofZod = new WeakMap<object, unknown>();
const identities = new WeakMap<object, string>();

function identityOf(schema: unknown): string {
  if (typeof schema !== 'object' && typeof schema !== 'function') return randomUUID();
  if (schema === null) return randomUUID();
  const known = identities.get(schema);
  if (known !== undefined) return known;
  const made = randomUUID();
  identities.set(schema, made);
  return made;
}

function describe(schema: unknown): unknown {
  if (schema instanceof z.core.$ZodType) return describeZod(schema);
  if (typeof schema !== 'object' && typeof schema !== 'function') return undefined;
  if (schema === null) return undefined;
  if ('~standard' in schema) return standardJsonSchemaOf(schema);
  // What makes a schema when it is first needed, as the AI SDK has it.
  if (typeof schema === 'function') return madeBy(schema);
  const embedded: unknown = Reflect.get(schema, 'jsonSchema');
  return plainJsonOf(embedded ?? schema);
}

function madeBy(schema: object): unknown {
  if (typeof schema !== 'function') return undefined;
  try {
    return describe(Reflect.apply(schema, undefined, []));
  } catch {
    return undefined; // whoever needs it will be told
  }
}

/** https://standardschema.dev/json-schema */
function standardJsonSchemaOf(schema: object): unknown {
  const converter: unknown = Reflect.get(Object(Reflect.get(schema, '~standard')), 'jsonSchema');
  const toInput: unknown = Reflect.get(Object(converter), 'input');
  if (typeof toInput !== 'function') return undefined;
  try {
    return plainJsonOf(Reflect.apply(toInput, converter, [{ target: 'draft-2020-12' }]));
  } catch {
    return undefined; // it has parts that JSON Schema has no words for
  }
}

function describeZod(schema: z.core.$ZodType): unknown {
  const known = ofZod.get(schema);
  if (known !== undefined) return known;
  const made = { json: jsonSchemaOfZod(schema), definition: definitionOf(schema) };
  ofZod.set(schema, made);
  return made;
}

function jsonSchemaOfZod(schema: z.core.$ZodType): unknown {
  try {
    const made: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return plainJsonOf(made);
  } catch {
    return null; // two parts with one id, for example; the definition says enough
  }
}

/**
 * All that is written in a schema of zod, in order: also the text of its functions (refinements, transforms), of which JSON
 * Schema says nothing, and what is behind `z.lazy`, however it is in itself.
 */
function definitionOf(schema: z.core.$ZodType): string[] {
  const written: string[] = [];
  const seen = new Map<object, number>();
  const look = (part: unknown): void => {
    if (typeof part === 'function') {
      written.push(Function.prototype.toString.call(part));
      return;
    }
    if (typeof part !== 'object' || part === null) {
      written.push(`${typeof part} ${String(part)}`);
      return;
    }
    const before = seen.get(part);
    if (before !== undefined) {
      written.push(`again ${before}`);
      return;
    }
    seen.set(part, seen.size);
    if (part instanceof RegExp || part instanceof Date) written.push(String(part));
    else if (part instanceof Map || part instanceof Set) [...part].forEach(look);
    else if ('_zod' in part) lookInto(Reflect.get(Object(Reflect.get(part, '_zod')), 'def'), look);
    else if (isPlain(part)) lookInto(part, look); // of other classes, the state is not the schema's
  };
  look(schema);
  return written;
}

function lookInto(part: unknown, look: (inner: unknown) => void): void {
  const holder = Object(part);
  for (const key of Object.keys(holder)) {
    if (COMPUTED.has(key)) continue;
    const inner: unknown = Reflect.get(holder, key);
    look(key);
    look(inner);
    if (key === 'getter' && typeof inner === 'function') look(madeLazily(inner));
  }
}

function madeLazily(getter: object): unknown {
  try {
    return Reflect.apply(Object(getter), undefined, []);
  } catch {
    return 'nothing'; // as whoever parses with it will find
  }
}

/** Made anew whenever it is read, and another each time, maybe. */
const COMPUTED: ReadonlySet<string> = new Set(['defaultValue']);

function isPlain(part: object): boolean {
  if (Array.isArray(part)) return true;
  const prototype: unknown = Object.getPrototypeOf(part);
  return prototype === Object.prototype || prototype === null;
}

/** Nothing but JSON; undefined for what says more than JSON can, or is in itself. */
function plainJsonOf(value: unknown): unknown {
  return holdsMore(value, 0) ? undefined : JSON.parse(JSON.stringify(value));
}

const DEEPEST = 200;

function holdsMore(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return false;
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || depth > DEEPEST || !isPlain(value)) return true;
  return Object.values(value).some(
    (inner: unknown) => inner !== undefined && holdsMore(inner, depth + 1),
  );
}
