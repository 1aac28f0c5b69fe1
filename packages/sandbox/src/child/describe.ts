import { hrefOf } from './web/url.ts';

const MAX_DEPTH = 4;
const MAX_ITEMS = 100;

/**
 * A value as a person would want to see it in a log: strings as they are, the rest much as in source code.
 * Calls no getter and no method of the value.
 */
export function describe(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return value.slice(0, maxChars);
  const ancestors = new Set<object>();
  let left = maxChars;

  function text(from: unknown, depth: number): string {
    const said = left > 0 ? textOf(from, depth) : '…';
    left -= said.length;
    return said;
  }

  function textOf(from: unknown, depth: number): string {
    switch (typeof from) {
      case 'string':
        return JSON.stringify(from.slice(0, Math.max(left, 0)));
      case 'bigint':
        return `${from}n`;
      case 'symbol':
        return from.toString();
      case 'function':
        return `[function ${nameOf(from)}]`;
      case 'object':
        return from === null ? 'null' : ofObject(from, depth);
      case 'boolean':
      case 'number':
      case 'undefined':
        return String(from);
    }
  }

  function ofObject(from: object, depth: number): string {
    if (ancestors.has(from)) return '[circular]';
    if (depth >= MAX_DEPTH) return Array.isArray(from) ? '[…]' : '{…}';
    ancestors.add(from);
    const said = ofKind(from, depth + 1);
    ancestors.delete(from);
    return said;
  }

  function ofKind(from: object, depth: number): string {
    if (from instanceof Error) return describeError(from);
    if (from instanceof Date)
      return branded(() => Date.prototype.toISOString.call(from)) ?? 'Invalid Date';
    if (from instanceof RegExp)
      return branded(() => RegExp.prototype.toString.call(from)) ?? '[object]';
    if (from instanceof Promise) return '[promise]';
    const href = hrefOf(from);
    if (href !== undefined) return href;
    if (Array.isArray(from))
      return `[${list(from.slice(0, MAX_ITEMS + 1), (item) => text(item, depth))}]`;
    if (from instanceof Map) {
      const entries: [unknown, unknown][] = [];
      branded(() =>
        Map.prototype.forEach.call(from, (item: unknown, key: unknown) =>
          entries.push([key, item]),
        ),
      );
      return `Map {${list(entries, ([key, item]) => `${text(key, depth)} => ${text(item, depth)}`)}}`;
    }
    if (from instanceof Set) {
      const items: unknown[] = [];
      branded(() => Set.prototype.forEach.call(from, (item: unknown) => items.push(item)));
      return `Set {${list(items, (item) => text(item, depth))}}`;
    }
    const keys = Object.keys(from);
    return `{${list(keys, (key) => `${key}: ${text(own(from, key), depth)}`)}}`;
  }

  try {
    return text(value, 0).slice(0, maxChars);
  } catch {
    return '[unreadable]'; // a proxy that throws
  }
}

/** `TypeError: x is not a function`, read without calling a getter. */
export function describeError(error: object): string {
  const name = nameOf(error);
  const message = own(error, 'message');
  return typeof message === 'string' && message !== '' ? `${name}: ${message}` : name;
}

/** The name of an error, wherever in its chain of prototypes it stands. */
export function nameOf(error: object): string {
  for (
    let at: object | null = error, steps = 0;
    at !== null && steps < 8;
    at = Object.getPrototypeOf(at), steps += 1
  ) {
    const name = own(at, 'name');
    if (typeof name === 'string') return name;
  }
  return 'Error';
}

/** An own data property; nothing for an accessor, unless it is one of SES's, which stand in for data. */
function own(from: object, key: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(from, key);
  if (!descriptor) return undefined;
  if ('value' in descriptor) return descriptor.value;
  // `overrideTaming` turns the data properties of prototypes into accessors; those are frozen, a guest's may not be.
  return Object.isFrozen(from) && descriptor.get ? descriptor.get.call(from) : '[accessor]';
}

function list<T>(items: readonly T[], say: (item: T) => string): string {
  const said = items.slice(0, MAX_ITEMS).map((item) => say(item));
  if (items.length > MAX_ITEMS) said.push('…');
  return said.join(', ');
}

function branded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
