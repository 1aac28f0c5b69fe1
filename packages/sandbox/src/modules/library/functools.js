// Python's functools.
export function reduce(combine, items, ...initial) {
  const source = items[Symbol.iterator]();
  let total = initial[0];
  if (initial.length === 0) {
    const first = source.next();
    if (first.done) throw new TypeError('reduce() of empty iterable with no initial value');
    total = first.value;
  }
  for (const item of { [Symbol.iterator]: () => source }) total = combine(total, item);
  return total;
}

export const partial =
  (call, ...first) =>
  (...rest) =>
    call(...first, ...rest);

// Arguments are compared as Map keys are: objects by identity.
export function lru_cache(call, { maxsize = 128 } = {}) {
  const root = new Map();
  let order = new Map(); // leaf to the path that leads to it, oldest first
  let hits = 0;
  let misses = 0;
  const cached = (...args) => {
    const path = [args.length, ...args];
    const parents = [root];
    for (const arg of path.slice(0, -1)) {
      const parent = parents.at(-1);
      if (!parent.has(arg)) parent.set(arg, new Map());
      parents.push(parent.get(arg));
    }
    const leaves = parents.at(-1);
    const last = path.at(-1);
    const known = leaves.get(last);
    if (known !== undefined) {
      hits += 1;
      order.delete(known);
      order.set(known, [parents, path]);
      return known.value;
    }
    misses += 1;
    const leaf = { value: call(...args) };
    if (maxsize === 0) return leaf.value;
    leaves.set(last, leaf);
    order.set(leaf, [parents, path]);
    if (maxsize !== null && order.size > maxsize) forgetOldest();
    return leaf.value;
  };
  function forgetOldest() {
    const [leaf, [parents, path]] = order.entries().next().value;
    order.delete(leaf);
    for (let depth = path.length - 1; depth >= 0; depth -= 1) {
      parents[depth].delete(path[depth]);
      if (parents[depth].size > 0) return;
    }
  }
  cached.cache_info = () => ({ hits, misses, maxsize, currsize: order.size });
  cached.cache_clear = () => {
    root.clear();
    order = new Map();
    hits = 0;
    misses = 0;
  };
  return cached;
}
export const cache = (call) => lru_cache(call, { maxsize: null });

// For sorted(): `items.toSorted(by_key(keyOf))`; keys may be numbers, strings or arrays of them.
export const cmp_to_key = (compare) => (item) => ({
  item,
  compareTo: (other) => compare(item, other.item),
});
export const by_key = (keyOf) => (a, b) => compareKeys(keyOf(a), keyOf(b));
function compareKeys(a, b) {
  if (typeof a?.compareTo === 'function') return a.compareTo(b);
  if (!Array.isArray(a)) return a < b ? -1 : a > b ? 1 : 0;
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareKeys(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
