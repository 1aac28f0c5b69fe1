/** Python's itertools, lazy. Spread a result to get an array: `[...combinations('abc', 2)]`. */
export function count(start?: number, step?: number): Generator<number>;
export function cycle<T>(items: Iterable<T>): Generator<T>;
export function repeat<T>(item: T, times?: number): Generator<T>;
export function accumulate<T>(
  items: Iterable<T>,
  combine?: (a: T, b: T) => T,
  options?: { initial?: T },
): Generator<T>;
export function batched<T>(items: Iterable<T>, n: number): Generator<T[]>;
export function chain<T>(...lists: Iterable<T>[]): Generator<T>;
export function takewhile<T>(test: (item: T) => unknown, items: Iterable<T>): Generator<T>;
/** Neighbours with one key, as [key, array]; sort first, as in Python. */
export function groupby<T, K = T>(items: Iterable<T>, keyOf?: (item: T) => K): Generator<[K, T[]]>;
export function islice<T>(
  items: Iterable<T>,
  start: number,
  stop?: number | null,
  step?: number,
): Generator<T>;
export function pairwise<T>(items: Iterable<T>): Generator<[T, T]>;
export function zip(...lists: Iterable<unknown>[]): Generator<unknown[]>;
export function zip_longest(
  lists: Iterable<unknown>[],
  options?: { fillvalue?: unknown },
): Generator<unknown[]>;
/** `product([a, b], { repeat: 2 })` */
export function product<T>(lists: Iterable<T>[], options?: { repeat?: number }): Generator<T[]>;
export function permutations<T>(items: Iterable<T>, r?: number): Generator<T[]>;
export function combinations<T>(items: Iterable<T>, r: number): Generator<T[]>;
