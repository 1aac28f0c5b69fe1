import { ToolInputError } from '@buddy/core';
import { z } from 'zod';
import type { Misfit } from '../call.ts';

/**
 * Holds arguments against the JSON Schema that a model is given. Less strictly than it is written, for the schema that the
 * tool itself has may be milder than what was made of it: unknown fields may be there, fields with a default, or that may be
 * null, may not, and formats and patterns are left to the tool.
 * @returns Undefined for what is no JSON Schema that is understood: then nothing can be told beforehand.
 */
export function argumentsCheck(
  tool: string,
  schema: unknown,
): ((value: unknown) => Misfit) | undefined {
  const check = zodOf(schema);
  return (
    check &&
    ((value) => {
      const { error } = check.safeParse(value);
      return error && new ToolInputError(tool, error);
    })
  );
}

function zodOf(schema: unknown): z.ZodType | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  try {
    // It throws for what it does not understand, also where a schema is none.
    return z.fromJSONSchema(Object(milder(schema)));
  } catch {
    return undefined;
  }
}

const LEFT_TO_THE_TOOL: ReadonlySet<string> = new Set(['format', 'pattern', 'default', '$schema']);
/** Under these names, what is written are names of the schema's author. */
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);

function milder(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((part: unknown) => milder(part));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).flatMap(([key, part]: [string, unknown]) => {
    if (LEFT_TO_THE_TOOL.has(key)) return [];
    if (key === 'additionalProperties' && part === false) return [];
    if (key === 'required') return [[key, requiredOf(schema, part)]];
    if (key === 'enum' || key === 'const') return [[key, part]];
    return [[key, NAMED.has(key) ? milderNamed(part) : milder(part)]];
  });
  return Object.fromEntries(kept);
}

function milderNamed(parts: unknown): unknown {
  return Object.fromEntries(
    Object.entries(Object(parts)).map(([name, part]) => [name, milder(part)]),
  );
}

function requiredOf(schema: object, required: unknown): unknown {
  if (!Array.isArray(required)) return required;
  const properties: unknown = Reflect.get(schema, 'properties');
  return required.filter((name: unknown) => {
    const part: unknown = Reflect.get(Object(properties), String(name));
    return typeof part === 'object' && part !== null && !('default' in part) && !allowsNull(part);
  });
}

function allowsNull(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  const type: unknown = Reflect.get(schema, 'type');
  if (type === 'null' || (Array.isArray(type) && type.includes('null'))) return true;
  const choices: unknown = Reflect.get(schema, 'anyOf') ?? Reflect.get(schema, 'oneOf');
  if (Array.isArray(choices)) return choices.some((choice: unknown) => allowsNull(choice));
  return type === undefined; // a reference, a list of values: they may
}
