/** JSON, in which every value of a guest has exactly one form. Objects that are not plain carry their kind under `$`. */
export type Wire =
  | null
  | boolean
  | number
  | string
  | readonly Wire[]
  | { readonly [key: string]: Wire };

/** Why a value cannot cross between guest and host. */
export interface PlainDataProblem {
  kind: 'cycle' | 'depth' | 'size' | 'type';
  /** Where in the value: `value.items[3].price`. */
  path: string;
  message: string;
  /** Where a value went past `maxSize`: what had been counted by then, and so less than the whole, or all of it. */
  size?: number | undefined;
}

export interface PlainDataLimits {
  /** In characters, about: 8 for each value, or 24 for a kind that JSON does not have, and the length of keys and texts. */
  maxSize: number;
  /** Default 64. */
  maxDepth?: number;
}

/** `size` is measured as `maxSize` is. */
export type Encoded =
  | { ok: true; wire: Wire; size: number }
  | { ok: false; problem: PlainDataProblem };
export type Decoded =
  | { ok: true; value: unknown; size: number }
  | { ok: false; problem: PlainDataProblem };

const MAX_DEPTH = 64;
/** What they are charged, so that a text within its limit never holds more values than a reader can build in good time. */
const VALUE = 8;
const TAGGED = 24;
const KEY = 4;
const TAG = '$';
/** An assignment to this name would change the prototype of a careless reader's object. */
const FORBIDDEN_KEY = '__proto__';

/**
 * Turns a value into plain JSON: only own, enumerable, string-keyed properties, no prototype, no function.
 * Map, Set, Date, BigInt, Error (name and message), `undefined`, `NaN`, the infinities and -0 keep their kind.
 *
 * Runs on both sides, and so on values of either side; getters and proxies of a guest run inside the guest's process.
 */
export function encodePlainData(value: unknown, limits: PlainDataLimits): Encoded {
  const maxDepth = limits.maxDepth ?? MAX_DEPTH;
  const ancestors = new Set<object>();
  const path = new Path();
  let sizeLeft = limits.maxSize;

  function spend(size: number): void {
    sizeLeft -= size;
    if (sizeLeft < 0) throw path.tooLarge(limits.maxSize, limits.maxSize - sizeLeft);
  }

  function encode(from: unknown, depth: number): Wire {
    switch (typeof from) {
      case 'string':
        spend(from.length + VALUE);
        return from;
      case 'boolean':
        spend(VALUE);
        return from;
      case 'number':
        if (Number.isFinite(from) && !Object.is(from, -0)) {
          spend(VALUE);
          return from;
        }
        spend(TAGGED);
        return { [TAG]: 'number', v: Object.is(from, -0) ? '-0' : String(from) };
      case 'undefined':
        spend(TAGGED);
        return { [TAG]: 'undefined' };
      case 'bigint': {
        // Writing out a large one takes time that grows with the square of its length.
        if (from > HUGE || from < -HUGE)
          throw path.problem('size', 'is a bigint of more than 4096 bits');
        const digits = from.toString();
        spend(digits.length + TAGGED);
        return { [TAG]: 'bigint', v: digits };
      }
      case 'object':
        spend(VALUE);
        return from === null ? null : encodeObject(from, depth);
      case 'function':
      case 'symbol':
        throw path.problem('type', `is a ${typeof from}, which is not data`);
    }
  }

  function encodeObject(from: object, depth: number): Wire {
    if (depth >= maxDepth) throw path.problem('depth', `is nested deeper than ${maxDepth} levels`);
    if (ancestors.has(from)) throw path.problem('cycle', 'refers back to a value that contains it');
    ancestors.add(from);
    const wire = encodeByKind(from, depth + 1);
    ancestors.delete(from);
    return wire;
  }

  function encodeByKind(from: object, depth: number): Wire {
    if (Array.isArray(from)) return encodeItems(from, depth);
    if (from instanceof Date || from instanceof Map || from instanceof Set || from instanceof Error)
      spend(TAGGED - VALUE);
    if (from instanceof Date) return { [TAG]: 'date', v: timeOf(from, path) };
    if (from instanceof Map) {
      return {
        [TAG]: 'map',
        v: entriesOf(from, path).map(([key, item], index) => [
          path.within(() => encode(key, depth), 'keys', index),
          path.within(() => encode(item, depth), 'values', index),
        ]),
      };
    }
    if (from instanceof Set) return { [TAG]: 'set', v: encodeItems(itemsOf(from, path), depth) };
    if (from instanceof Error) {
      const name = path.within(() => encode(textOf(from.name), depth), 'name');
      const message = path.within(() => encode(textOf(from.message), depth), 'message');
      return { [TAG]: 'error', v: { name, message } };
    }
    const notData = nameOfWhatIsNotData(from);
    if (notData !== undefined) throw path.problem('type', notData);
    return encodeRecord(from, depth);
  }

  function encodeItems(items: readonly unknown[], depth: number): readonly Wire[] {
    // Its length is what a guest says it is, and a billion holes take no room until they are walked.
    spend(items.length);
    return Array.from(items, (item, index) => {
      path.push(index);
      const wire = encode(item, depth);
      path.pop();
      return wire;
    });
  }

  function encodeRecord(from: object, depth: number): Wire {
    const entries: [string, Wire][] = Object.keys(from).map((key) => {
      if (key === FORBIDDEN_KEY)
        throw path.problem('type', `has a property named ${FORBIDDEN_KEY}`);
      spend(key.length + KEY);
      path.push(key);
      const wire = encode(Reflect.get(from, key), depth);
      path.pop();
      return [key, wire];
    });
    // A guest's own `$` must not be taken for a tag.
    if (!Object.hasOwn(from, TAG)) return Object.fromEntries(entries);
    spend(TAGGED - VALUE + entries.length * KEY);
    return { [TAG]: 'object', v: entries };
  }

  return attempt(() => {
    const wire = encode(value, 0);
    return { ok: true as const, wire, size: limits.maxSize - sizeLeft };
  });
}

/** Builds the value that `encodePlainData` was given, out of objects of this realm. Refuses what it would not write. */
export function decodePlainData(
  wire: unknown,
  { maxSize, maxDepth = MAX_DEPTH }: PlainDataLimits = { maxSize: Infinity },
): Decoded {
  const path = new Path();
  let size = 0;

  /** As `encodePlainData` does, or less. */
  function spend(more: number): void {
    size += more;
    if (size > maxSize) throw path.tooLarge(maxSize, size);
  }

  function decode(from: unknown, depth: number): unknown {
    spend(typeof from === 'string' ? VALUE + from.length : VALUE);
    if (from === null || typeof from !== 'object') return from;
    if (depth >= maxDepth) throw path.problem('depth', `is nested deeper than ${maxDepth} levels`);
    if (Array.isArray(from)) return decodeItems(from, depth + 1);
    if (Object.hasOwn(from, TAG)) return decodeTagged(from, depth + 1);
    const record: Record<string, unknown> = {};
    for (const key of Object.keys(from))
      decodeProperty(record, key, Reflect.get(from, key), depth + 1);
    return record;
  }

  function decodeProperty(
    record: Record<string, unknown>,
    key: unknown,
    item: unknown,
    depth: number,
  ): void {
    if (typeof key !== 'string' || key === FORBIDDEN_KEY) throw malformed(path);
    spend(key.length + KEY);
    path.push(key);
    record[key] = decode(item, depth);
    path.pop();
  }

  function decodeItems(items: readonly unknown[], depth: number): unknown[] {
    return items.map((item, index) => {
      path.push(index);
      const value = decode(item, depth);
      path.pop();
      return value;
    });
  }

  function decodeEntries(entries: readonly unknown[], depth: number): object {
    const record: Record<string, unknown> = {};
    for (const entry of entries) {
      const [key, item] = pairOf(entry, path);
      decodeProperty(record, key, item, depth);
    }
    return record;
  }

  function decodeTagged(from: object, depth: number): unknown {
    const body: unknown = Object.hasOwn(from, 'v') ? Reflect.get(from, 'v') : undefined;
    spend(TAGGED - VALUE);
    switch (Reflect.get(from, TAG)) {
      case 'undefined':
        return undefined;
      case 'number':
        if (body === 'NaN' || body === 'Infinity' || body === '-Infinity' || body === '-0')
          return Number(body);
        throw malformed(path);
      case 'bigint':
        if (typeof body !== 'string' || !/^-?\d{1,1300}$/.test(body)) throw malformed(path);
        spend(body.length);
        return BigInt(body);
      case 'date':
        if (body === null || typeof body === 'number') return new Date(body ?? Number.NaN);
        throw malformed(path);
      case 'set':
        return new Set(decodeItems(listOf(body, path), depth));
      case 'map':
        return new Map(
          listOf(body, path).map((entry, index) => {
            const [key, item] = pairOf(entry, path);
            return [
              path.within(() => decode(key, depth), 'keys', index),
              path.within(() => decode(item, depth), 'values', index),
            ];
          }),
        );
      case 'error':
        return decodeError(body);
      case 'object':
        return decodeEntries(listOf(body, path), depth);
      default:
        throw malformed(path);
    }
  }

  function decodeError(body: unknown): Error {
    const error = errorOf(body, path);
    spend(error.name.length + error.message.length);
    return error;
  }

  return attempt(() => {
    const value = decode(wire, 0);
    return { ok: true as const, value, size };
  });
}

/** Where in a value the work is. Written out only when something is wrong there, for most of the time nothing is. */
class Path {
  readonly #steps: (string | number)[] = [];

  /** An index or a key. */
  push(step: string | number): void {
    this.#steps.push(step);
  }

  pop(): void {
    this.#steps.pop();
  }

  within<T>(work: () => T, ...steps: readonly (string | number)[]): T {
    this.#steps.push(...steps);
    const result = work();
    this.#steps.length -= steps.length;
    return result;
  }

  problem(kind: PlainDataProblem['kind'], message: string): Problem {
    return new Problem(kind, this.#text(), message);
  }

  tooLarge(allowed: number, size: number): Problem {
    const message = `is larger than the limit of ${allowed} characters`;
    return new Problem('size', this.#text(), message, size);
  }

  #text(): string {
    return `value${this.#steps.map(stepText).join('')}`;
  }
}

const HUGE = 2n ** 4096n;

class Problem extends Error {
  readonly problem: PlainDataProblem;

  constructor(kind: PlainDataProblem['kind'], path: string, message: string, size?: number) {
    super(message);
    const where = path.length > 200 ? `${path.slice(0, 200)}…` : path;
    const said = `${where} ${message}`;
    this.problem = { kind, path: where, message: said, ...(size !== undefined && { size }) };
  }
}

function attempt<T>(work: () => T): T | { ok: false; problem: PlainDataProblem } {
  try {
    return work();
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.problem };
    // A getter or a proxy threw. What it threw is not asked for its message, which may throw again.
    const message = 'value cannot be read: one of its properties throws';
    return { ok: false, problem: { kind: 'type', path: 'value', message } };
  }
}

function nameOfWhatIsNotData(value: object): string | undefined {
  if (value instanceof Promise) return 'is a promise; await it first';
  if (value instanceof RegExp) return 'is a regular expression; use String(it)';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return 'is binary; use Array.from(it)';
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    const [, tag] =
      /^\[object (URL|URLSearchParams)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
    if (tag) return `is a ${tag}; use String(it)`;
  }
  if (value instanceof WeakMap || value instanceof WeakSet)
    return 'is a weak collection, which is not data';
  if (
    (Symbol.iterator in value || Symbol.asyncIterator in value) &&
    !Object.hasOwn(value, 'next') &&
    'next' in value
  )
    return 'is an iterator, which is read once; spread it: [...it]';
  return undefined;
}

function timeOf(date: Date, path: Path): number | null {
  const time = withBrand(path, () => Date.prototype.getTime.call(date));
  return Number.isNaN(time) ? null : time;
}

function entriesOf(map: Map<unknown, unknown>, path: Path): [unknown, unknown][] {
  const entries: [unknown, unknown][] = [];
  withBrand(path, () =>
    Map.prototype.forEach.call(map, (item: unknown, key: unknown) => entries.push([key, item])),
  );
  return entries;
}

function itemsOf(set: Set<unknown>, path: Path): unknown[] {
  const items: unknown[] = [];
  withBrand(path, () => Set.prototype.forEach.call(set, (item: unknown) => items.push(item)));
  return items;
}

/** `Object.create(Date.prototype)` is an instance of Date, but no date. */
function withBrand<T>(path: Path, read: () => T): T {
  try {
    return read();
  } catch {
    throw path.problem('type', 'only pretends to be a Date, Map or Set');
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown, path: Path): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(path);
}

function pairOf(value: unknown, path: Path): [unknown, unknown] {
  if (Array.isArray(value) && value.length === 2) return [value[0], value[1]];
  throw malformed(path);
}

function errorOf(body: unknown, path: Path): Error {
  const name: unknown = Object(body).name;
  const message: unknown = Object(body).message;
  if (typeof name !== 'string' || typeof message !== 'string') throw malformed(path);
  const error = new Error(message);
  // Not the stack of whoever decodes it: that tells a guest of the host.
  Object.defineProperty(error, 'stack', {
    value: `${name}: ${message}`,
    configurable: true,
    writable: true,
  });
  if (name !== 'Error')
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return error;
}

function malformed(path: Path): Problem {
  return path.problem('type', 'is not written the way plain data is');
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
