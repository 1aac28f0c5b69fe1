import { gives, type Snippet } from './snippet.ts';

/** Whole programs, in the way that models write them, over the tools of a small shop. */
export const programs: readonly Snippet[] = [
  gives(
    'fetches one thing through a tool',
    'const order = await tools.shop.order({ id: "o1" });\norder.total',
    12.5,
  ),
  gives(
    'pages through a list',
    `const all = [];
let cursor = 0;
do {
  const page = await tools.shop.orders({ cursor, limit: 2 });
  all.push(...page.items);
  cursor = page.next;
} while (cursor !== null);
return { count: all.length, ids: all.map((o) => o.id) };`,
    { count: 5, ids: ['o1', 'o2', 'o3', 'o4', 'o5'] },
  ),
  gives(
    'reports by customer',
    `async function listAll() {
  const items = [];
  for (let cursor = 0; cursor !== null;) {
    const page = await tools.shop.orders({ cursor, limit: 3 });
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}
const orders = await listAll();
const byCustomer = Object.groupBy(orders, ({ customer }) => customer);
const report = Object.entries(byCustomer)
  .map(([customer, list]) => ({
    customer,
    orders: list.length,
    total: Number(list.reduce((sum, o) => sum + o.total, 0).toFixed(2)),
  }))
  .sort((a, b) => b.total - a.total);
report`,
    [
      { customer: 'ada', orders: 3, total: 72.5 },
      { customer: 'bob', orders: 2, total: 28.5 },
    ],
  ),
  gives(
    'builds a table in Markdown',
    `const { items } = await tools.shop.orders({ cursor: 0, limit: 2 });
const header = '| id | customer | total |\\n| --- | --- | ---: |';
const rows = items.map(o => \`| \${o.id} | \${o.customer} | \${o.total.toFixed(2)} |\`);
[header, ...rows].join('\\n');`,
    '| id | customer | total |\n| --- | --- | ---: |\n| o1 | ada | 12.50 |\n| o2 | bob | 8.00 |',
  ),
  gives(
    'parses CSV with quotes',
    `const csv = input;
function parseCsv(text) {
  const rows = [[]];
  let cell = '', quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') { cell += '"'; i++; }
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ',') { rows.at(-1).push(cell); cell = ''; }
    else if (c === '\\n') { rows.at(-1).push(cell); cell = ''; rows.push([]); }
    else if (c !== '\\r') cell += c;
  }
  rows.at(-1).push(cell);
  const [head, ...body] = rows.filter((r) => r.length > 1);
  return body.map((r) => Object.fromEntries(head.map((h, i) => [h.trim(), r[i]])));
}
parseCsv(csv)`,
    [
      { name: 'Ada, Countess', note: 'said "hi"' },
      { name: 'Bob', note: '' },
    ],
    { input: 'name,note\r\n"Ada, Countess","said ""hi"""\r\nBob,\r\n' },
  ),
  gives(
    'retries with backoff',
    `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function withRetry(fn, { attempts = 4, base = 1 } = {}) {
  let lastError;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      return await fn();
    } catch (error) {
      lastError = error;
      await sleep(base * 2 ** attempt);
    }
  }
  throw lastError;
}
await withRetry(() => tools.shop.flaky({ key: input }))`,
    'third time lucky',
    { input: 'retry' },
  ),
  gives(
    'tells of what failed',
    `const ids = ['o1', 'nope', 'o2'];
const results = await Promise.allSettled(ids.map((id) => tools.shop.order({ id })));
const failed = results.flatMap((r, i) => (r.status === 'rejected' ? [\`\${ids[i]}: \${r.reason.message}\`] : []));
({ ok: results.length - failed.length, failed })`,
    { ok: 2, failed: ['nope: No order nope'] },
  ),
  gives(
    'limits how much it does at a time',
    `async function mapLimit(items, limit, fn) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await fn(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
const totals = await mapLimit(['o1', 'o2', 'o3'], 2, async (id) => (await tools.shop.order({ id })).total);
totals`,
    [12.5, 8, 40],
  ),
  gives(
    'logs a table, a group, a count and a time, then answers',
    `console.group('orders');
const { items } = await tools.shop.orders({ cursor: 0, limit: 2 });
console.table(items);
console.table(items, ['id']);
console.count('pages');
console.countReset('pages');
console.time('t'); console.timeLog('t', 1); console.timeEnd('t');
console.info('%d orders', items.length);
console.debug({ nested: { deep: [1, 2, { x: new Map([[1, 2]]) }] } });
console.warn(new Error('careful'));
console.error('bad'); console.trace('here'); console.dir({ a: 1 }, { depth: 0 }); console.assert(1 === 2, 'never'); console.dirxml('x');
console.groupEnd();
items.length`,
    2,
  ),
  gives(
    'summarises words',
    `const text = input;
const words = text.toLowerCase().match(/\\b[a-z']+\\b/g) ?? [];
const counts = words.reduce((acc, w) => acc.set(w, (acc.get(w) ?? 0) + 1), new Map());
const top = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).slice(0, 2);
return Object.fromEntries(top);`,
    { the: 2, cat: 1 },
    { input: 'The cat saw the dog.' },
  ),
  gives(
    'computes statistics',
    `const xs = input.values.filter(Number.isFinite).sort((a, b) => a - b);
const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
const variance = xs.reduce((s, x) => s + (x - mean) ** 2, 0) / (xs.length - 1);
const q = (p) => { const i = (xs.length - 1) * p, lo = Math.floor(i); return xs[lo] + ((xs[lo + 1] ?? xs[lo]) - xs[lo]) * (i - lo); };
({ mean, sd: +Math.sqrt(variance).toFixed(3), median: q(0.5), p90: +q(0.9).toFixed(2) })`,
    { mean: 5, sd: 2.138, median: 4.5, p90: 7.6 },
    { input: { values: [2, 4, 4, 4, 5, 5, 7, 9, Number.NaN] } },
  ),
  gives(
    'diffs two lists by key',
    `type Row = { id: string; v: number };
const { before, after } = input as { before: Row[]; after: Row[] };
const old = new Map(before.map((r) => [r.id, r] as const));
const changes: string[] = [];
for (const row of after) {
  const was = old.get(row.id);
  if (!was) changes.push(\`+ \${row.id}\`);
  else if (was.v !== row.v) changes.push(\`~ \${row.id}: \${was.v} -> \${row.v}\`);
  old.delete(row.id);
}
for (const id of old.keys()) changes.push(\`- \${id}\`);
export default changes;`,
    ['~ a: 1 -> 2', '+ c', '- b'],
    {
      input: {
        before: [
          { id: 'a', v: 1 },
          { id: 'b', v: 1 },
        ],
        after: [
          { id: 'a', v: 2 },
          { id: 'c', v: 1 },
        ],
      },
    },
  ),
  gives(
    'sorts a copy of its input, in three keys',
    `const sorted = [...input].sort((a, b) => a.team.localeCompare(b.team) || b.score - a.score || a.name.localeCompare(b.name));
sorted.map((p) => p.name)`,
    ['bea', 'ann', 'cem'],
    {
      input: [
        { name: 'ann', team: 'x', score: 1 },
        { name: 'bea', team: 'x', score: 2 },
        { name: 'cem', team: 'y', score: 9 },
      ],
    },
  ),
  gives(
    'sorts and changes its input in place',
    `input.items.sort((a, b) => a.id - b.id);
input.items.push({ id: 9 });
input.count = input.items.length;
delete input.draft;
input`,
    { items: [{ id: 1 }, { id: 2 }, { id: 9 }], count: 3 },
    { input: { items: [{ id: 2 }, { id: 1 }], draft: true } },
  ),
  gives(
    'changes what a tool answered',
    `const { items } = await tools.shop.orders({ cursor: 0, limit: 2 });
items.reverse();
for (const item of items) item.total *= 2;
items.map(({ id, total }) => [id, total])`,
    [
      ['o2', 16],
      ['o1', 25],
    ],
  ),
  gives(
    'adds to a copy of its input',
    `const out = structuredClone(input);
out.items.push({ id: 3 });
out.done = true;
out`,
    { items: [{ id: 1 }, { id: 3 }], done: true },
    { input: { items: [{ id: 1 }] } },
  ),
  gives(
    'walks a tree',
    `const flatten = (node, depth = 0) => [\`\${'  '.repeat(depth)}- \${node.name}\`, ...(node.children ?? []).flatMap((c) => flatten(c, depth + 1))];
flatten(input).join('\\n')`,
    '- root\n  - a\n    - b\n  - c',
    {
      input: { name: 'root', children: [{ name: 'a', children: [{ name: 'b' }] }, { name: 'c' }] },
    },
  ),
  gives(
    'memoises, debounces and emits events of its own',
    `class Emitter {
  #listeners = new Map();
  on(event, fn) { (this.#listeners.get(event) ?? this.#listeners.set(event, []).get(event)).push(fn); return this; }
  emit(event, ...args) { for (const fn of this.#listeners.get(event) ?? []) fn(...args); }
}
const heard = [];
const bus = new Emitter().on('x', (v) => heard.push(v));
const memo = (fn, cache = {}) => (k) => (cache[k] ??= fn(k));
const square = memo((n) => { bus.emit('x', n); return n * n; });
[square(3), square(3), heard]`,
    [9, 9, [3]],
  ),
  gives(
    'fills a template',
    `const render = (tpl, data) => tpl.replace(/\\{\\{\\s*([\\w.]+)\\s*\\}\\}/g, (_, path) => path.split('.').reduce((o, k) => o?.[k], data) ?? '');
render('Dear {{ user.name }}, you owe {{ amount }}{{ nothing }}.', input)`,
    'Dear Ada, you owe 5.',
    { input: { user: { name: 'Ada' }, amount: 5 } },
  ),
  gives(
    'reckons with money and dates from the modules',
    `import { Decimal } from 'decimal';
import { date, timedelta } from 'datetime';
import { Counter } from 'collections';
const net = ['10.10', '20.20'].map((t) => new Decimal(t)).reduce((a, b) => a.add(b));
const due = date.fromisoformat('2026-11-21').add(new timedelta({ days: 14 }));
[String(net), due.isoformat(), new Counter('banana').most_common(1)]`,
    ['30.30', '2026-12-05', [['a', 3]]],
  ),
  gives(
    'keeps notes in the scratch and reads them back',
    `scratch.write('notes/a.md', '# A');
scratch.write('notes/b.md', '# B');
scratch.list().map((name) => scratch.read(name)).join(' ')`,
    '# A # B',
  ),
  gives(
    'checks for what is not there before it is used',
    `const hasFetch = typeof fetch === 'function', hasWindow = typeof window !== 'undefined';
let how = 'tools';
if (hasWindow) how = 'window';
({ how, hasFetch })`,
    { how: 'tools', hasFetch: true },
  ),
  gives(
    'validates its input',
    `const errors = [];
const need = (ok, message) => ok || errors.push(message);
need(typeof input.email === 'string' && /^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$/i.test(input.email), 'email');
need(Number.isInteger(input.age) && input.age >= 18, 'age');
need(Array.isArray(input.tags) && input.tags.every((t) => typeof t === 'string'), 'tags');
if (errors.length) {
  ({ ok: false, errors })
} else {
  ({ ok: true })
}`,
    { ok: false, errors: ['age'] },
    { input: { email: 'ada@example.com', age: 17, tags: [] } },
  ),
  gives(
    'finds the shortest way in a graph',
    `const graph = input;
const dist = Object.fromEntries(Object.keys(graph).map((k) => [k, Infinity]));
dist.a = 0;
const queue = new Set(Object.keys(graph));
while (queue.size) {
  const u = [...queue].reduce((m, k) => (dist[k] < dist[m] ? k : m));
  queue.delete(u);
  for (const [v, w] of Object.entries(graph[u])) dist[v] = Math.min(dist[v], dist[u] + w);
}
dist`,
    { a: 0, b: 2, c: 3 },
    { input: { a: { b: 2, c: 5 }, b: { c: 1 }, c: {} } },
  ),
];
