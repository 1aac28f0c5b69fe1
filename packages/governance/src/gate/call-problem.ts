import type { Actor } from '@buddy/core';
import type { GatedCall } from './call.ts';

/** As long as a name may be in the log. */
const LONGEST_NAME = 256;
const LONGEST_KEY = 1_024;

/** What is told of a call that nobody can be held to account for, where it has to be told. */
export const NOBODY: Actor = Object.freeze<Actor>({ kind: 'system', id: 'unidentified' });

/**
 * Who acts, in a copy that nobody else holds; undefined when that cannot be said. What comes from JavaScript may be of any
 * type, whatever is declared.
 */
export function actorOf(given: unknown): Actor | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const [kind, id, onBehalfOf]: unknown[] = ['kind', 'id', 'onBehalfOf'].map((field) =>
    Reflect.get(given, field),
  );
  if (kind !== 'agent' && kind !== 'human' && kind !== 'system') return undefined;
  if (!isName(id)) return undefined;
  if (onBehalfOf === undefined) return Object.freeze({ kind, id });
  return isName(onBehalfOf) ? Object.freeze({ kind, id, onBehalfOf }) : undefined;
}

/** Whether the log has a place for it. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= LONGEST_NAME &&
    value.isWellFormed()
  );
}

/**
 * What is wrong with what was said of a call; undefined when nothing is. Repeats nothing of it, for it may hold anything.
 */
export function problemOf(call: Omit<GatedCall<unknown>, 'perform'>): string | undefined {
  const { action, actor, rationale, idempotencyKey: key, runId, taskId, problem } = call;
  if (!isName(action)) return `its name is ${kindOf(action)}, and must be ${A_NAME}`;
  if (problem !== undefined) return problem;
  if (!actorOf(actor)) {
    return `its actor is ${kindOf(actor)}, and must be { kind: 'agent' | 'human' | 'system', id, onBehalfOf? }, each id ${A_NAME}`;
  }
  if (typeof rationale !== 'string')
    return `its rationale is ${kindOf(rationale)}, and must be a text`;
  if (typeof key !== 'function' && !isKey(key)) {
    return `its idempotencyKey is ${kindOf(key)}, and must be a text of 1 to ${LONGEST_KEY} characters`;
  }
  for (const [name, id] of Object.entries({ runId, taskId })) {
    if (id !== undefined && !isName(id))
      return `its ${name} is ${kindOf(id)}, and must be ${A_NAME}, or left out`;
  }
  return undefined;
}

const A_NAME = `a text of 1 to ${LONGEST_NAME} characters`;

function isKey(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_KEY;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object of another shape';
  if (typeof value !== 'string') return `a ${typeof value}`;
  return value.isWellFormed()
    ? `a text of ${value.length} characters`
    : 'a text with half a character';
}
