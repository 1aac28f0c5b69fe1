/** Python's collections over Map and Array. */
export class Counter<K = string> extends Map<K, number> {
  constructor(source?: Iterable<K> | Map<K, number> | Record<string, number>);
  /** 0 for a key that was never counted. */
  get(key: K): number;
  update(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
  subtract(source: Iterable<K> | Map<K, number> | Record<string, number>): this;
  most_common(n?: number): [K, number][];
  total(): number;
  /** Python's + and -: only counts above 0 are kept. */
  add(other: Counter<K>): Counter<K>;
  sub(other: Counter<K>): Counter<K>;
}
export class defaultdict<K, V> extends Map<K, V> {
  /** `new defaultdict(() => [])` */
  constructor(make?: () => V, entries?: Iterable<[K, V]>);
  get(key: K): V;
}
/** A Map, which keeps the order of its keys. */
export class OrderedDict<K, V> extends Map<K, V> {
  move_to_end(key: K, options?: { last?: boolean }): void;
}
export class deque<T> implements Iterable<T> {
  constructor(source?: Iterable<T>, maxlen?: number);
  readonly maxlen: number;
  readonly length: number;
  at(index: number): T | undefined;
  append(item: T): void;
  appendleft(item: T): void;
  pop(): T;
  popleft(): T;
  extend(items: Iterable<T>): void;
  rotate(n?: number): void;
  toJSON(): T[];
  [Symbol.iterator](): Iterator<T>;
}
/** `const Point = namedtuple('Point', 'x y'); Point(1, 2).x` */
export function namedtuple(
  name: string,
  fields: string | readonly string[],
): {
  (...values: unknown[]): Readonly<Record<string, unknown>>;
  _fields: readonly string[];
  _replace(record: object, changes: object): Readonly<Record<string, unknown>>;
};
