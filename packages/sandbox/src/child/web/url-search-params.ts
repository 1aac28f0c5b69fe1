// By import, not as a global: the child's start realm has no globals left.
import { URLSearchParams as NodeSearchParams } from 'node:url';

type Pair = readonly [name: string, value: string];

/** Sets up params that tell of each change, for the URL they belong to. */
export let watchParams: (params: URLSearchParams, text: string, changed: () => void) => void;

/**
 * `URLSearchParams` of the URL standard. Node's own is asked for what text means, and handed out never: it comes with
 * objects that a hardened realm does not freeze.
 */
export class URLSearchParams {
  static readonly name = 'URLSearchParams'; // the child's program is minified
  #pairs: Pair[];
  #changed = (): void => undefined;

  static {
    watchParams = (params, text, changed) => {
      params.#pairs = pairsOf(text);
      params.#changed = changed;
    };
  }

  constructor(init: unknown = '') {
    this.#pairs = pairsOf(init);
  }

  get size(): number {
    return this.#pairs.length;
  }
  append(name: unknown, value: unknown): void {
    this.#set([...this.#pairs, [wellFormed(name), wellFormed(value)]]);
  }
  delete(name: unknown, value?: unknown): void {
    this.#set(this.#pairs.filter((pair) => !isAt(pair, name, value)));
  }
  get(name: unknown): string | null {
    return this.getAll(name)[0] ?? null;
  }
  getAll(name: unknown): string[] {
    return this.#pairs.filter((pair) => isAt(pair, name)).map(([, value]) => value);
  }
  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some((pair) => isAt(pair, name, value));
  }
  set(name: unknown, value: unknown): void {
    const pair: Pair = [wellFormed(name), wellFormed(value)];
    const first = this.#pairs.findIndex((each) => isAt(each, name));
    if (first < 0) this.#set([...this.#pairs, pair]);
    else
      this.#set(this.#pairs.with(first, pair).filter((each, i) => i <= first || !isAt(each, name)));
  }
  sort(): void {
    this.#set(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
  }
  forEach(callback: (value: string, name: string, params: this) => unknown, self?: unknown): void {
    for (const [name, value] of this.#pairs) Reflect.apply(callback, self, [value, name, this]);
  }
  entries(): ArrayIterator<[string, string]> {
    return this.#pairs.map(([name, value]): [string, string] => [name, value]).values();
  }
  keys(): ArrayIterator<string> {
    return this.#pairs.map(([name]) => name).values();
  }
  values(): ArrayIterator<string> {
    return this.#pairs.map(([, value]) => value).values();
  }
  [Symbol.iterator](): ArrayIterator<[string, string]> {
    return this.entries();
  }
  toString(): string {
    return new NodeSearchParams(this.entries()).toString();
  }
  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }

  #set(pairs: Pair[]): void {
    this.#pairs = pairs;
    this.#changed();
  }
}

function isAt([name, value]: Pair, askedName: unknown, askedValue?: unknown): boolean {
  return (
    name === wellFormed(askedName) && (askedValue === undefined || value === wellFormed(askedValue))
  );
}

function pairsOf(init: unknown): Pair[] {
  if (typeof init !== 'object' || init === null) return [...new NodeSearchParams(String(init))];
  if (!(Symbol.iterator in init))
    return Object.entries(init).map(([name, value]): Pair => [wellFormed(name), wellFormed(value)]);
  const pairs: Pair[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each entry is looked at below
  for (const entry of init as Iterable<unknown>) {
    const [name, value, ...more] = Array.from(Object(entry));
    if (value === undefined || more.length > 0)
      throw new TypeError('Each query pair must be an iterable [name, value] tuple');
    pairs.push([wellFormed(name), wellFormed(value)]);
  }
  return pairs;
}

function wellFormed(value: unknown): string {
  return String(value).toWellFormed();
}
