/** Python's functools. */
export function reduce<T, R = T>(
  combine: (total: R, item: T) => R,
  items: Iterable<T>,
  initial?: R,
): R;
export function partial<R>(
  call: (...args: never[]) => R,
  ...first: unknown[]
): (...rest: unknown[]) => R;
interface Cached<A extends unknown[], R> {
  (...args: A): R;
  cache_info(): { hits: number; misses: number; maxsize: number | null; currsize: number };
  cache_clear(): void;
}
/** Keeps the results of the last `maxsize` calls (128; null: all). Objects are compared by identity. */
export function lru_cache<A extends unknown[], R>(
  call: (...args: A) => R,
  options?: { maxsize?: number | null },
): Cached<A, R>;
export function cache<A extends unknown[], R>(call: (...args: A) => R): Cached<A, R>;
export function cmp_to_key<T>(
  compare: (a: T, b: T) => number,
): (item: T) => { item: T; compareTo(other: { item: T }): number };
/** A comparator for sort(), by a key: `people.toSorted(by_key((p) => [p.last, p.first]))`. */
export function by_key<T>(keyOf: (item: T) => unknown): (a: T, b: T) => number;
