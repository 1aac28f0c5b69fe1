// Python's itertools as generators: nothing is computed before it is asked for.
export function* count(start = 0, step = 1) {
  for (let n = 0; ; n += 1) yield start + n * step;
}
export function* cycle(items) {
  const saved = [];
  for (const item of items) {
    saved.push(item);
    yield item;
  }
  while (saved.length > 0) yield* saved;
}
export function* repeat(item, times = Infinity) {
  for (let n = 0; n < times; n += 1) yield item;
}
export function* accumulate(items, combine = (a, b) => a + b, { initial } = {}) {
  let total = initial;
  let isFirst = initial === undefined;
  if (!isFirst) yield total;
  for (const item of items) {
    total = isFirst ? item : combine(total, item);
    isFirst = false;
    yield total;
  }
}
export function* batched(items, n) {
  if (n < 1) throw new RangeError('n must be at least one');
  let batch = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < n) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
export function* chain(...lists) {
  for (const list of lists) yield* list;
}
export function* takewhile(test, items) {
  for (const item of items) {
    if (!test(item)) return;
    yield item;
  }
}
// Groups of neighbours with one key, as [key, array].
export function* groupby(items, keyOf = (item) => item) {
  let group;
  for (const item of items) {
    const key = keyOf(item);
    if (group?.[0] !== key && group) yield group;
    if (group?.[0] !== key) group = [key, []];
    group[1].push(item);
  }
  if (group) yield group;
}
export function* islice(items, start, stop, step = 1) {
  const [from, to] = stop === undefined ? [0, start] : [start, stop ?? Infinity];
  if (from >= to) return;
  let index = 0;
  for (const item of items) {
    if (index >= from && (index - from) % step === 0) yield item;
    index += 1;
    if (index >= to) return;
  }
}
export function* pairwise(items) {
  const window = [];
  for (const item of items) {
    if (window.push(item) < 2) continue;
    yield [...window];
    window.shift();
  }
}
export function* zip(...lists) {
  const sources = lists.map((list) => list[Symbol.iterator]());
  while (sources.length > 0) {
    const row = [];
    for (const source of sources) {
      const { done, value } = source.next();
      if (done) return;
      row.push(value);
    }
    yield row;
  }
}
export function* zip_longest(lists, { fillvalue = null } = {}) {
  const sources = lists.map((list) => list[Symbol.iterator]());
  for (;;) {
    const row = sources.map((source) => source.next());
    if (row.every(({ done }) => done)) return;
    yield row.map(({ done, value }) => (done ? fillvalue : value));
  }
}
export function* product(lists, { repeat: times = 1 } = {}) {
  const pools = Array.from({ length: times }, () => lists.map((list) => [...list])).flat();
  yield* picks(
    pools.length,
    (depth) => pools[depth].keys(),
    (indices) => indices.map((index, i) => pools[i][index]),
  );
}
export function* permutations(items, r) {
  const pool = [...items];
  const rest = (_, taken) => [...pool.keys()].filter((index) => !taken.includes(index));
  yield* picks(r ?? pool.length, rest, (indices) => indices.map((index) => pool[index]));
}
export function* combinations(items, r) {
  const pool = [...items];
  const rest = (_, taken) => [...pool.keys()].slice((taken.at(-1) ?? -1) + 1);
  yield* picks(r, rest, (indices) => indices.map((index) => pool[index]));
}
// All ways to take `size` indices one after the other, in order, each from what `options` leaves.
function* picks(size, options, read, taken = []) {
  if (taken.length === size) yield read(taken);
  else
    for (const index of options(taken.length, taken))
      yield* picks(size, options, read, [...taken, index]);
}
