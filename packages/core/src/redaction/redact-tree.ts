import { types } from 'node:util';
import { isCount, type SecretKind } from './secret-keys.ts';
import { marker } from './text/span.ts';

export interface TreeRules {
  /** What a field of this name holds; undefined when it may be shown. */
  kindOf: (name: string) => SecretKind | undefined;
  redactText: (text: string) => string;
  maxDepth: number;
  maxValues: number;
}

/**
 * A copy of `value` as plain data, the secrets in it replaced.
 *
 * Walks once over a tree that may do anything when it is read: throw, refer to itself, have no end.
 */
export function redactTree(value: unknown, rules: TreeRules): unknown {
  return new Walk(rules).copy(value, 0);
}

/** A copy of `value` as plain data, with nothing replaced but what JSON cannot hold. */
export function plainData(value: unknown): unknown {
  return redactTree(value, {
    kindOf: () => undefined,
    redactText: (text) => text,
    maxDepth: 32,
    maxValues: 100_000,
  });
}

class Walk {
  readonly #rules: TreeRules;
  /** The objects from the root to here. */
  readonly #above = new Set<object>();
  #values = 0;

  constructor(rules: TreeRules) {
    this.#rules = rules;
  }

  copy(value: unknown, depth: number): unknown {
    this.#values += 1;
    switch (typeof value) {
      case 'string':
        return this.#rules.redactText(value);
      case 'bigint':
        return value.toString();
      case 'symbol':
        return this.#rules.redactText(value.toString());
      case 'function':
        return '[function]';
      case 'object':
        return value === null ? null : this.#copyObject(value, depth);
      case 'number':
      case 'boolean':
      case 'undefined':
      default: // there is no other; TypeScript's rule for returns wants it said
        return value;
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (this.#above.has(value)) return marker('circular');
    if (depth >= this.#rules.maxDepth) return marker('too-deep');
    this.#above.add(value);
    try {
      return this.#copyByKind(value, depth);
    } catch {
      // A proxy, a getter or a toJSON that throws: what cannot be read cannot be shown, and a log must not fail over it.
      return marker('unreadable');
    } finally {
      this.#above.delete(value);
    }
  }

  #copyByKind(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#copyItems(value, depth);
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
      return `[${value.byteLength} bytes]`;
    }
    if (types.isMap(value)) return this.#copyMap(value, depth);
    if (types.isSet(value)) return this.#copyItems(value, depth);
    if (types.isBoxedPrimitive(value)) return this.copy(value.valueOf(), depth + 1);
    if (types.isNativeError(value) || value instanceof Error) return this.#copyError(value, depth);
    if (value instanceof Headers) return this.#copyEntries([...value.entries()], depth);
    const toJson: unknown = Reflect.get(value, 'toJSON');
    if (typeof toJson === 'function')
      return this.copy(Reflect.apply(toJson, value, ['']), depth + 1);
    if (value instanceof URLSearchParams) return this.#rules.redactText(value.toString());
    return this.#copyFields(value, Object.keys(value), depth);
  }

  #copyItems(items: Iterable<unknown>, depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const item of items) {
      if (this.#isFull()) {
        copies.push(marker('too-many'));
        break;
      }
      copies.push(this.copy(item, depth + 1));
    }
    return this.#withPairRedacted(copies);
  }

  /** `['authorization', 'Bearer …']`, as in the entries of a map or of headers. */
  #withPairRedacted(copies: unknown[]): unknown[] {
    const [name, value] = copies;
    if (copies.length !== 2 || typeof name !== 'string') return copies;
    const kind = this.#rules.kindOf(name);
    return kind && isSecret(kind, value) ? [name, marker(kind.label)] : copies;
  }

  #copyMap(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    const entries = [...map];
    return entries.every((entry): entry is [string, unknown] => typeof entry[0] === 'string')
      ? this.#copyEntries(entries, depth)
      : this.#copyItems(entries, depth);
  }

  /** The fields every error has cannot be enumerated, and would be lost. */
  #copyError(error: Error, depth: number): unknown {
    const own = Object.keys(error).filter((key) => !ERROR_FIELDS.includes(key));
    const known = ERROR_FIELDS.filter((key) => key in error);
    return this.#copyFields(error, [...known, ...own], depth);
  }

  /** Reads one field at a time, so that one getter that throws does not hide the others. */
  #copyFields(value: object, keys: readonly string[], depth: number): object {
    const named = keys.map((key) => ({ key, read: () => readField(value, key) }));
    return this.#copyNamed(named, depth);
  }

  #copyEntries(entries: readonly (readonly [string, unknown])[], depth: number): object {
    const named = entries.map(([key, value]) => ({ key, read: () => value }));
    return this.#copyNamed(named, depth);
  }

  #copyNamed(fields: readonly NamedField[], depth: number): object {
    const copy: Record<string, unknown> = {};
    for (const { key, read } of inOrderOfCopy(fields, this.#rules.redactText)) {
      if (this.#isFull()) {
        setField(copy, marker('too-many'), true);
        break;
      }
      const shownKey = this.#rules.redactText(key);
      setField(copy, freeKey(copy, key, shownKey), this.#copyField(shownKey, read(), depth));
    }
    return this.#withNamedValueRedacted(copy);
  }

  #copyField(key: string, value: unknown, depth: number): unknown {
    const kind = this.#rules.kindOf(key);
    if (!kind || isEmpty(value)) return this.copy(value, depth + 1);
    if (kind.mayBeCount) {
      const copy = this.copy(value, depth + 1); // not the value itself, whose getters may throw
      return isSecret(kind, copy) ? marker(kind.label) : copy;
    }
    this.#values += 1;
    return marker(kind.label);
  }

  /** `{ name: 'password', value: 'x' }`, as forms and HTTP archives have them. */
  #withNamedValueRedacted(copy: Record<string, unknown>): object {
    const name = copy['name'] ?? copy['key'];
    if (typeof name !== 'string') return copy;
    const kind = this.#rules.kindOf(name);
    if (kind && isSecret(kind, copy['value'])) copy['value'] = marker(kind.label);
    return copy;
  }

  #isFull(): boolean {
    return this.#values >= this.#rules.maxValues;
  }
}

const ERROR_FIELDS = ['name', 'message', 'code', 'stack', 'cause', 'errors'];

interface NamedField {
  key: string;
  read: () => unknown;
}

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;
const MAX_ARRAY_INDEX = 2 ** 32 - 2;

/**
 * Fields in the order in which the copy, an object, will hold them: array indices first, ascending. A map's order differs,
 * and what is left out past a limit must be the same when the copy is itself redacted.
 */
function inOrderOfCopy(
  fields: readonly NamedField[],
  redactText: (text: string) => string,
): readonly NamedField[] {
  const isIndex = ({ key }: NamedField): boolean =>
    ARRAY_INDEX.test(key) && Number(key) <= MAX_ARRAY_INDEX && redactText(key) === key;
  const indices = fields.filter((field) => isIndex(field));
  if (indices.length === 0) return fields;
  const others = fields.filter((field) => !isIndex(field));
  return [...indices.toSorted((a, b) => Number(a.key) - Number(b.key)), ...others];
}

function readField(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return marker('unreadable');
  }
}

/** A field whose name had a secret in it must not take the place of another. */
function freeKey(copy: object, key: string, redacted: string): string {
  let free = redacted;
  while (free !== key && Object.hasOwn(copy, free)) free += '+';
  return free;
}

/** Defined, not assigned: a key may be `__proto__`. */
function setField(copy: object, key: string, value: unknown): void {
  Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
}

function isSecret(kind: SecretKind, copy: unknown): boolean {
  return !isEmpty(copy) && !(kind.mayBeCount && isCount(copy));
}

/** Nothing to hide: whether there is a password is no secret. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || typeof value === 'boolean';
}
