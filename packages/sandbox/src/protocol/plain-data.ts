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
}

export interface PlainDataLimits {
  /** In characters, about: strings as they are long, 8 for anything else. */
  maxSize: number;
  /** Default 64. */
  maxDepth?: number;
}

export type Encoded = { ok: true; wire: Wire } | { ok: false; problem: PlainDataProblem };
export type Decoded = { ok: true; value: unknown } | { ok: false; problem: PlainDataProblem };

const MAX_DEPTH = 64;
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
  let sizeLeft = limits.maxSize;

  function spend(size: number, path: string): void {
    sizeLeft -= size;
    if (sizeLeft < 0) {
      throw new Problem('size', path, `is larger than the limit of ${limits.maxSize} characters`);
    }
  }

  function encode(from: unknown, path: string, depth: number): Wire {
    switch (typeof from) {
      case 'string':
        spend(from.length + 2, path);
        return from;
      case 'boolean':
        spend(8, path);
        return from;
      case 'number':
        spend(8, path);
        return Number.isFinite(from) && !Object.is(from, -0)
          ? from
          : { [TAG]: 'number', v: Object.is(from, -0) ? '-0' : String(from) };
      case 'undefined':
        spend(8, path);
        return { [TAG]: 'undefined' };
      case 'bigint': {
        // Writing out a large one takes time that grows with the square of its length.
        if (from > HUGE || from < -HUGE)
          throw new Problem('size', path, 'is a bigint of more than 4096 bits');
        const digits = from.toString();
        spend(digits.length, path);
        return { [TAG]: 'bigint', v: digits };
      }
      case 'object':
        spend(8, path);
        return from === null ? null : encodeObject(from, path, depth);
      case 'function':
      case 'symbol':
        throw new Problem('type', path, `is a ${typeof from}, which is not data`);
    }
  }

  function encodeObject(from: object, path: string, depth: number): Wire {
    if (depth >= maxDepth)
      throw new Problem('depth', path, `is nested deeper than ${maxDepth} levels`);
    if (ancestors.has(from))
      throw new Problem('cycle', path, 'refers back to a value that contains it');
    ancestors.add(from);
    const wire = encodeByKind(from, path, depth + 1);
    ancestors.delete(from);
    return wire;
  }

  function encodeByKind(from: object, path: string, depth: number): Wire {
    if (Array.isArray(from)) return encodeItems(from, path, depth);
    if (from instanceof Date) return { [TAG]: 'date', v: timeOf(from, path) };
    if (from instanceof Map) {
      return {
        [TAG]: 'map',
        v: entriesOf(from, path).map(([key, item], index) => [
          encode(key, `${path}.keys[${index}]`, depth),
          encode(item, `${path}.values[${index}]`, depth),
        ]),
      };
    }
    if (from instanceof Set)
      return { [TAG]: 'set', v: encodeItems(itemsOf(from, path), path, depth) };
    if (from instanceof Error) {
      const name = encode(textOf(from.name), `${path}.name`, depth);
      return {
        [TAG]: 'error',
        v: { name, message: encode(textOf(from.message), `${path}.message`, depth) },
      };
    }
    const notData = nameOfWhatIsNotData(from);
    if (notData !== undefined) throw new Problem('type', path, notData);
    return encodeRecord(from, path, depth);
  }

  function encodeItems(items: readonly unknown[], path: string, depth: number): readonly Wire[] {
    // Its length is what a guest says it is, and a billion holes take no room until they are walked.
    spend(items.length, path);
    return Array.from(items, (item, index) => encode(item, `${path}[${index}]`, depth));
  }

  function encodeRecord(from: object, path: string, depth: number): Wire {
    const entries: [string, Wire][] = Object.keys(from).map((key) => {
      if (key === FORBIDDEN_KEY)
        throw new Problem('type', path, `has a property named ${FORBIDDEN_KEY}`);
      spend(key.length + 4, path);
      return [key, encode(Reflect.get(from, key), pathOf(path, key), depth)];
    });
    // A guest's own `$` must not be taken for a tag.
    return Object.hasOwn(from, TAG) ? { [TAG]: 'object', v: entries } : Object.fromEntries(entries);
  }

  return attempt(() => ({ ok: true as const, wire: encode(value, 'value', 0) }));
}

/**
 * Builds the value that `encodePlainData` was given, out of objects of this realm. Refuses what it would not write, and
 * at the first item beyond `maxSize`, which it counts as `encodePlainData` does: whoever broke into a child may not keep
 * the host busy with more.
 */
export function decodePlainData(
  wire: unknown,
  {
    maxDepth = MAX_DEPTH,
    maxSize = Number.POSITIVE_INFINITY,
  }: { maxDepth?: number; maxSize?: number } = {},
): Decoded {
  let sizeLeft = maxSize;

  function spend(size: number, path: string): void {
    sizeLeft -= size;
    if (sizeLeft < 0)
      throw new Problem('size', path, `is larger than the limit of ${maxSize} characters`);
  }

  function decode(from: unknown, path: string, depth: number): unknown {
    if (from === null || typeof from !== 'object') {
      spend(typeof from === 'string' ? from.length + 2 : 8, path);
      return from;
    }
    if (depth >= maxDepth)
      throw new Problem('depth', path, `is nested deeper than ${maxDepth} levels`);
    if (!Array.isArray(from) && Object.hasOwn(from, TAG))
      return decodeTagged(from, path, depth + 1);
    spend(8, path);
    if (Array.isArray(from)) return decodeItems(from, path, depth + 1);
    return decodeEntries(Object.entries(from), path, depth + 1);
  }

  function decodeItems(items: readonly unknown[], path: string, depth: number): unknown[] {
    spend(items.length, path);
    return items.map((item, index) => decode(item, `${path}[${index}]`, depth));
  }

  function decodeEntries(entries: readonly unknown[], path: string, depth: number): object {
    const record: Record<string, unknown> = {};
    for (const entry of entries) {
      const [key, item] = pairOf(entry, path);
      if (typeof key !== 'string' || key === FORBIDDEN_KEY) throw malformed(path);
      spend(key.length + 4, path);
      record[key] = decode(item, pathOf(path, key), depth);
    }
    return record;
  }

  function decodeTagged(from: object, path: string, depth: number): unknown {
    const body: unknown = Object.hasOwn(from, 'v') ? Reflect.get(from, 'v') : undefined;
    const tag: unknown = Reflect.get(from, TAG);
    spend(tag === 'bigint' && typeof body === 'string' ? body.length : 8, path);
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'number':
        if (body === 'NaN' || body === 'Infinity' || body === '-Infinity' || body === '-0')
          return Number(body);
        throw malformed(path);
      case 'bigint':
        if (typeof body === 'string' && /^-?\d{1,1300}$/.test(body)) return BigInt(body);
        throw malformed(path);
      case 'date':
        if (body === null || typeof body === 'number') return new Date(body ?? Number.NaN);
        throw malformed(path);
      case 'set':
        return new Set(decodeItems(listOf(body, path), path, depth));
      case 'map':
        return new Map(
          listOf(body, path).map((entry, index) => {
            const [key, item] = pairOf(entry, path);
            return [
              decode(key, `${path}.keys[${index}]`, depth),
              decode(item, `${path}.values[${index}]`, depth),
            ];
          }),
        );
      case 'error':
        return decodeError(body, path);
      case 'object':
        return decodeEntries(listOf(body, path), path, depth);
      default:
        throw malformed(path);
    }
  }

  function decodeError(body: unknown, path: string): Error {
    const error = errorOf(body, path);
    spend(error.name.length + error.message.length + 4, path);
    return error;
  }

  return attempt(() => ({ ok: true as const, value: decode(wire, 'value', 0) }));
}

const HUGE = 2n ** 4096n;

class Problem extends Error {
  readonly problem: PlainDataProblem;

  constructor(kind: PlainDataProblem['kind'], path: string, message: string) {
    super(message);
    const where = path.length > 200 ? `${path.slice(0, 200)}…` : path;
    this.problem = { kind, path: where, message: `${where} ${message}` };
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
  if (value instanceof WeakMap || value instanceof WeakSet)
    return 'is a weak collection, which is not data';
  return undefined;
}

function timeOf(date: Date, path: string): number | null {
  const time = withBrand(path, () => Date.prototype.getTime.call(date));
  return Number.isNaN(time) ? null : time;
}

function entriesOf(map: Map<unknown, unknown>, path: string): [unknown, unknown][] {
  const entries: [unknown, unknown][] = [];
  withBrand(path, () =>
    Map.prototype.forEach.call(map, (item: unknown, key: unknown) => entries.push([key, item])),
  );
  return entries;
}

function itemsOf(set: Set<unknown>, path: string): unknown[] {
  const items: unknown[] = [];
  withBrand(path, () => Set.prototype.forEach.call(set, (item: unknown) => items.push(item)));
  return items;
}

/** `Object.create(Date.prototype)` is an instance of Date, but no date. */
function withBrand<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Problem('type', path, 'only pretends to be a Date, Map or Set');
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(path);
}

function pairOf(value: unknown, path: string): [unknown, unknown] {
  if (Array.isArray(value) && value.length === 2) return [value[0], value[1]];
  throw malformed(path);
}

function errorOf(body: unknown, path: string): Error {
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

function malformed(path: string): Problem {
  return new Problem('type', path, 'is not written the way plain data is');
}

function pathOf(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
