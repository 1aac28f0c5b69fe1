import { fails, gives, type Snippet } from './snippet.ts';

/** The language and its library, as they work everywhere else. */
export const language: readonly Snippet[] = [
  gives(
    'named groups',
    String.raw`const { year, month } = '2026-11'.match(/(?<year>\d{4})-(?<month>\d\d)/).groups;` +
      '\n[year, month]',
    ['2026', '11'],
  ),
  gives('lookbehind and lookahead', String.raw`'€10 $20 €30'.match(/(?<=€)\d+(?!\d)/g)`, [
    '10',
    '30',
  ]),
  gives(
    'a sticky expression',
    String.raw`const re = /\d/y; re.lastIndex = 1;` + '\n[re.test("a1"), re.test("a1")]',
    [true, false],
  ),
  gives(
    'unicode sets and properties',
    String.raw`[/^\p{Lu}\p{Ll}+$/u.test('Émile'), /[\p{L}--[a-z]]/v.test('a')]`,
    [true, false],
  ),
  gives(
    'matchAll, indices and replacers',
    String.raw`[...'a1b22'.matchAll(/[a-z](\d+)/gd)].map((m) => [m[1], m.indices[1]])`,
    [
      ['1', [1, 2]],
      ['22', [3, 5]],
    ],
  ),
  gives(
    'a replacer with named groups',
    String.raw`'Ada Lovelace'.replace(/(?<f>\w+) (?<l>\w+)/, '$<l>, $<f>')`,
    'Lovelace, Ada',
  ),
  gives('split by an expression', String.raw`'a, b;c'.split(/[,;]\s*/)`, ['a', 'b', 'c']),
  gives(
    'dates',
    'const d = new Date("2024-02-28T12:00:00Z");\nd.setUTCDate(d.getUTCDate() + 2);\n[d.toISOString(), d.getDay(), new Date(2026, 0, 31).getMonth(), Date.UTC(2000, 0)]',
    ['2024-03-01T12:00:00.000Z', 5, 0, 946_684_800_000],
  ),
  gives(
    'the difference of dates',
    'Math.round((new Date("2026-03-01") - new Date("2026-02-01")) / 86_400_000)',
    28,
  ),
  gives(
    'Date.now and new Date agree',
    'Math.abs(Date.now() - new Date().getTime()) < 1000 && typeof Date() === "string"',
    true,
  ),
  gives('an invalid date', 'Number.isNaN(new Date("nonsense").getTime())', true),
  gives(
    'toLocaleString of numbers',
    '[(1234567.891).toLocaleString("en-US"), (0.256).toLocaleString("en-US", { style: "percent" }), (1234.5).toLocaleString("de-DE", { style: "currency", currency: "EUR" })]',
    ['1,234,567.891', '26%', '1.234,50\u00A0€'],
  ),
  gives(
    'toLocaleString of dates',
    'new Date(0).toLocaleDateString("en-US", { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" })',
    'January 1, 1970',
  ),
  gives(
    'Intl',
    'const f = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });\n[f.format(3.14159), new Intl.PluralRules("en").select(1), new Intl.ListFormat("en").format(["a", "b", "c"]), new Intl.RelativeTimeFormat("en").format(-2, "day")]',
    ['3.1', 'one', 'a, b, and c', '2 days ago'],
  ),
  gives(
    'Intl.DateTimeFormat with a time zone',
    'new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short", timeZone: "Europe/Berlin" }).format(new Date(0))',
    '01/01/1970, 01:00',
  ),
  gives(
    'Intl.Collator and localeCompare',
    '[["ä", "z", "a"].toSorted((x, y) => x.localeCompare(y, "de")), ["a10", "a2"].toSorted(new Intl.Collator("en", { numeric: true }).compare)]',
    [
      ['a', 'ä', 'z'],
      ['a2', 'a10'],
    ],
  ),
  gives(
    'Intl.Segmenter and normalize',
    '[[...new Intl.Segmenter("en", { granularity: "grapheme" }).segment("👩‍👧é")].length, "e\\u0301".normalize("NFC").length]',
    [2, 1],
  ),
  gives(
    'private fields, getters, static blocks',
    'class Account {\n  #balance = 0;\n  static made = 0;\n  static { Account.made = 10; }\n  constructor(start) { this.#balance = start; Account.made++; }\n  get balance() { return this.#balance; }\n  set balance(v) { this.#balance = v; }\n  #secret() { return this.#balance * 2; }\n  twice() { return this.#secret(); }\n  static is(o) { return #balance in o; }\n}\nconst a = new Account(5);\na.balance += 1;\n[a.balance, a.twice(), Account.made, Account.is(a), Account.is({})]',
    [6, 12, 11, true, false],
  ),
  gives(
    'inheritance with super',
    'class A { constructor(n) { this.n = n; } toString() { return `A${this.n}`; } }\nclass B extends A { toString() { return super.toString() + "B"; } }\n`${new B(1)}`',
    'A1B',
  ),
  gives(
    'a subclass of Array and of Map',
    'class Stack extends Array { peek() { return this.at(-1); } }\nclass Counts extends Map { add(k) { return this.set(k, (this.get(k) ?? 0) + 1); } }\nconst s = new Stack();\ns.push(1, 2);\n[s.peek(), s.length, new Counts().add("a").add("a").get("a")]',
    [2, 2, 2],
  ),
  gives(
    'generators',
    'function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } }\nconst out = [];\nfor (const n of fib()) { if (n > 20) break; out.push(n); }\nout',
    [0, 1, 1, 2, 3, 5, 8, 13],
  ),
  gives(
    'iterator helpers',
    'function* naturals() { let n = 1; while (true) yield n++; }\nnaturals().filter((n) => n % 2).map((n) => n * n).take(3).toArray()',
    [1, 9, 25],
  ),
  gives(
    'async iterators',
    'async function* pages() { yield [1, 2]; await null; yield [3]; }\nconst all = [];\nfor await (const page of pages()) all.push(...page);\nall',
    [1, 2, 3],
  ),
  gives(
    "an iterable of one's own",
    'const range = { from: 1, to: 3, *[Symbol.iterator]() { for (let i = this.from; i <= this.to; i++) yield i; } };\n[...range]',
    [1, 2, 3],
  ),
  gives(
    'destructuring',
    'const { a: { b = 2, ...rest } = {}, ["c" + 1]: c, ...others } = { a: { d: 4 }, c1: 5, e: 6 };\nconst [x, , y = 9, ...z] = [1, 2, undefined, 4, 5];\n[b, rest, c, others, x, y, z]',
    [2, { d: 4 }, 5, { e: 6 }, 1, 9, [4, 5]],
  ),
  gives(
    'labelled loops',
    'const found = [];\nouter: for (let i = 0; i < 3; i++) {\n  for (let j = 0; j < 3; j++) {\n    if (j === 2) continue outer;\n    if (i === 2) break outer;\n    found.push(`${i}${j}`);\n  }\n}\nfound.join()',
    '00,01,10,11',
  ),
  gives(
    'tagged templates',
    'const sql = (parts, ...values) => ({ text: parts.join("?"), values });\nsql`select * from t where id = ${7} and name = ${"x"}`',
    { text: 'select * from t where id = ? and name = ?', values: [7, 'x'] },
  ),
  gives(
    'BigInt',
    'const f = (n) => (n <= 1n ? 1n : n * f(n - 1n));\n[f(20n), BigInt.asUintN(8, 257n), 2n ** 64n % 10n, BigInt("0xff")]',
    [2432902008176640000n, 1n, 6n, 255n],
  ),
  gives(
    'Object.groupBy and Map.groupBy',
    'const people = [{ n: "a", t: 1 }, { n: "b", t: 2 }, { n: "c", t: 1 }];\n[Object.groupBy(people, (p) => `t${p.t}`).t1.length, Map.groupBy(people, (p) => p.t).get(1).map((p) => p.n)]',
    [2, ['a', 'c']],
  ),
  gives(
    'set methods',
    'const a = new Set([1, 2, 3]), b = new Set([2, 3, 4]);\n[a.union(b).size, a.intersection(b), [...a.difference(b)], a.isSubsetOf(b)]',
    [4, new Set([2, 3]), [1], false],
  ),
  gives(
    'structuredClone',
    'const a = { d: new Date(5), m: new Map([["k", [1]]]), n: { x: 1 } };\nconst b = structuredClone(a);\nb.n.x = 2;\n[a.n.x, b.d.getTime(), b.m.get("k")]',
    [1, 5, [1]],
  ),
  gives(
    'newer array methods',
    'const a = [3, 1, 2];\n[a.toSorted(), a.toReversed(), a.with(0, 9), a.toSpliced(1, 1), a.findLast((n) => n > 1), a.findLastIndex((n) => n > 2), a.at(-1), a.flatMap((n) => [n, n]).length, a]',
    [[1, 2, 3], [2, 1, 3], [9, 1, 2], [3, 2], 2, 0, 2, 6, [3, 1, 2]],
  ),
  gives(
    'Array.from, fill, flat, includes, copyWithin',
    '[Array.from({ length: 3 }, (_, i) => i * i), new Array(2).fill("x"), [1, [2, [3]]].flat(Infinity), [NaN].includes(NaN), Array.of(7)]',
    [[0, 1, 4], ['x', 'x'], [1, 2, 3], true, [7]],
  ),
  gives('Array.fromAsync', 'await Array.fromAsync([Promise.resolve(1), 2])', [1, 2]),
  gives(
    'strings',
    '["abc".padStart(5, "*"), "a-b-c".replaceAll("-", "+"), " x ".trim(), "abc".at(-1), "ab".repeat(2), "straße".toUpperCase(), "x".codePointAt(0), "😀".length, [..."😀"].length, "abc".isWellFormed()]',
    ['**abc', 'a+b+c', 'x', 'c', 'abab', 'STRASSE', 120, 2, 1, true],
  ),
  gives(
    'Promise combinators',
    'const late = (ms, v) => new Promise((r) => setTimeout(r, ms, v));\nconst no = Promise.reject(new Error("no"));\n[await Promise.all([1, late(1, 2)]), await Promise.any([no, late(1, 3)]), await Promise.race([late(60, "slow"), late(1, "fast")]), (await Promise.allSettled([no, 4])).map((s) => s.status)]',
    [[1, 2], 3, 'fast', ['rejected', 'fulfilled']],
  ),
  gives(
    'Promise.withResolvers and Promise.try',
    'const { promise, resolve } = Promise.withResolvers();\nqueueMicrotask(() => resolve("later"));\n[await promise, await Promise.try(() => 1)]',
    ['later', 1],
  ),
  gives(
    'setTimeout, setInterval and their ends',
    'let ticks = 0;\nawait new Promise((done) => {\n  const t = setInterval(() => { if (++ticks === 3) { clearInterval(t); done(); } }, 1);\n});\nconst never = setTimeout(() => { ticks = -1; }, 1e6);\nclearTimeout(never);\nticks',
    3,
  ),
  gives(
    'the order of microtasks and timers',
    'const order = [];\nsetTimeout(() => order.push("timer"), 0);\nPromise.resolve().then(() => order.push("micro"));\norder.push("sync");\nawait new Promise((r) => setTimeout(r, 5));\norder',
    ['sync', 'micro', 'timer'],
  ),
  gives(
    'JSON there and back',
    'const text = JSON.stringify({ a: [1, null, undefined], d: new Date(0), skip: undefined, n: NaN }, null, 2);\nJSON.parse(text, (k, v) => (k === "a" ? v.length : v))',
    { a: 3, d: '1970-01-01T00:00:00.000Z', n: null },
  ),
  gives(
    'toJSON and a replacer',
    'JSON.stringify({ a: { toJSON: () => "A" }, b: 2, c: 3 }, ["a", "b"])',
    '{"a":"A","b":2}',
  ),
  gives(
    'errors with a cause, and subclasses',
    'class HttpError extends Error {\n  constructor(status, options) { super(`HTTP ${status}`, options); this.name = "HttpError"; this.status = status; }\n}\ntry {\n  try { null.x; } catch (cause) { throw new HttpError(502, { cause }); }\n} catch (e) {\n  [e instanceof HttpError, e instanceof Error, e.name, e.status, e.message, e.cause instanceof TypeError, String(e)]\n}',
    [true, true, 'HttpError', 502, 'HTTP 502', true, 'HttpError: HTTP 502'],
  ),
  gives(
    'AggregateError',
    'try { await Promise.any([Promise.reject(1)]); } catch (e) { [e.constructor.name, e.errors] }',
    ['AggregateError', [1]],
  ),
  gives('the stack of an error is text', 'typeof new Error("x").stack', 'string'),
  gives(
    'the override mistake on objects',
    'const o = {};\no.hasOwnProperty = 1;\no.toString = () => "mine";\no.constructor = "c";\nconst e = new Error("x");\ne.message = "y";\ne.name = "Mine";\n[o.hasOwnProperty, `${o}`, o.constructor, `${e}`]',
    [1, 'mine', 'c', 'Mine: y'],
  ),
  gives(
    "methods of one's own on a map, a set, a typed array, a function and an instance",
    'const m = new Map();\nm.get = (k) => `got ${k}`;\nconst s = new Set();\ns.add = () => "added";\nconst f = () => 1;\nf.toString = () => "f";\nf.cache = {};\nclass A { go() { return 1; } }\nconst a = new A();\na.go = () => 2;\nconst list = [1];\nlist.toString = () => "list";\nlist.total = 1;\n[m.get("x"), s.add(), `${f}`, a.go(), `${list}`, list.total]',
    ['got x', 'added', 'f', 2, 'list', 1],
  ),
  gives(
    "prototypes of one's own functions",
    'function Animal(name) { this.name = name; }\nAnimal.prototype.speak = function () { return this.name; };\nAnimal.prototype.toString = function () { return "animal"; };\nfunction Dog(name) { Animal.call(this, name); }\nDog.prototype = Object.create(Animal.prototype);\nDog.prototype.constructor = Dog;\n[new Dog("rex").speak(), `${new Dog("x")}`]',
    ['rex', 'animal'],
  ),
  gives(
    'Object.assign and spread over inherited names',
    'const o = Object.assign({}, { toString: () => "o", valueOf: () => 4 });\nconst copy = { ...o, constructor: 1 };\n[`${o}`, o + 1, copy.constructor]',
    ['o', 5, 1],
  ),
  gives(
    'Proxy, Reflect, Symbol, WeakMap',
    'const seen = [];\nconst p = new Proxy({ a: 1 }, { get: (t, k, r) => (seen.push(String(k)), Reflect.get(t, k, r)) });\nconst w = new WeakMap([[seen, 1]]);\n[p.a, seen, w.has(seen), Symbol("d").description, Symbol.for("k") === Symbol.for("k"), Reflect.ownKeys({ [Symbol.iterator]: 1, b: 2 }).length]',
    [1, ['a'], true, 'd', true, 2],
  ),
  gives(
    'typed arrays',
    'const b = new Uint8Array([250, 255]);\nb[0] += 10;\nconst f = new Float64Array(2);\nf[0] = 0.5;\nconst view = new DataView(new ArrayBuffer(4));\nview.setInt16(0, -2);\n[[...b], [...f], view.getUint16(0), Array.from(Float32Array.of(1.5))]',
    [[4, 255], [0.5, 0], 65_534, [1.5]],
  ),
  gives(
    'mathematics',
    '[Math.hypot(3, 4), Math.trunc(-1.5), Math.sign(-3), Math.cbrt(27), Math.max(...[1, 5]), Math.clz32(1), 7 % 3, 2 ** 10, Number.EPSILON > 0, (0.1 + 0.2).toFixed(2), Number("12px"), parseInt("12px", 10), (255).toString(16)]',
    [5, -1, -1, 3, 5, 31, 1, 1024, true, '0.30', NaN, 12, 'ff'],
  ),
  gives(
    'Math as a whole',
    'const { floor, max } = Math;\n[floor(2.7), max(1, 2), Object.prototype.toString.call(Math), typeof Math.random()]',
    [2, 2, '[object Math]', 'number'],
  ),
  gives(
    'getters, setters and computed keys',
    'const key = "b";\nconst o = { _a: 1, get a() { return this._a; }, set a(v) { this._a = v * 2; }, [key + 1]: 2, [`m${key}`]() { return 3; } };\no.a = 5;\n[o.a, o.b1, o.mb()]',
    [10, 2, 3],
  ),
  gives(
    'closures, defaults, rest, spread, recursion',
    'const counter = (start = 0, ...steps) => { let n = start; return () => (n += steps.shift() ?? 1); };\nconst next = counter(10, 5);\nconst fact = function self(n) { return n < 2 ? 1 : n * self(n - 1); };\n[next(), next(), fact(5), Math.min(...[3, 1])]',
    [15, 16, 120, 1],
  ),
  gives(
    'arguments and this',
    'function count() { return arguments.length; }\nconst o = { n: 1, f() { return [this.n, (() => this.n)()]; } };\n[count(1, 2, 3), o.f()]',
    [3, [1, 1]],
  ),
  gives(
    'var, hoisting and the temporal dead zone',
    'var x = hoisted();\nfunction hoisted() { return typeof y; }\nvar y = 1;\nlet dead;\ntry { late; let late = 1; } catch (e) { dead = e.name; }\n[x, dead]',
    ['undefined', 'ReferenceError'],
  ),
  gives(
    'typeof of what is not there',
    'typeof window === "undefined" && typeof Buffer === "undefined" ? "neither" : window.x',
    'neither',
  ),
  gives('globalThis', 'globalThis.answer = 42;\nglobalThis.answer + (globalThis.missing ?? 0)', 42),
  gives(
    'using',
    'const log = [];\n{\n  using a = { [Symbol.dispose]: () => log.push("closed") };\n  log.push("open");\n}\nlog',
    ['open', 'closed'],
  ),
  gives(
    'names in other scripts, emoji in text',
    'const größe = 1, имя = "и", 名前 = "na", \\u0061bc = 2;\n[größe, имя, 名前, abc, "👍🏽 ok"]',
    [1, 'и', 'na', 2, '👍🏽 ok'],
  ),
  gives(
    'numbers as they can be written',
    '[1_000, 0b11, 0o17, 0xff, .5, 5., 1e3, 0.1 + 0.2]',
    [1000, 3, 15, 255, 0.5, 5, 1000, 0.30000000000000004],
  ),
  gives(
    'logical assignment, exponent, comma, void, delete, in',
    'let a = null;\na ??= 1;\na ||= 2;\na &&= 3;\nconst o = { x: 1, y: 2 };\ndelete o.x;\n[a, (1, 2), void 0, "y" in o, "x" in o, (-2) ** 2]',
    [3, 2, undefined, true, false, 4],
  ),
  gives(
    'URL-like text without URL',
    'const q = new Map("a=1&b=x%20y".split("&").map((p) => p.split("=").map(decodeURIComponent)));\n[q.get("b"), encodeURIComponent("a&b"), encodeURI("a b")]',
    ['x y', 'a%26b', 'a%20b'],
  ),
  gives('base64 of text', '[btoa("hello"), atob("aGVsbG8=")]', ['aGVsbG8=', 'hello']),
  gives(
    'values of every kind',
    '({ u: undefined, n: null, nan: NaN, inf: -Infinity, zero: -0, d: new Date(1), m: new Map([[{ a: 1 }, new Set([1n])]]), e: new TypeError("t"), $: "own" })',
    {
      u: undefined,
      n: null,
      nan: NaN,
      inf: -Infinity,
      zero: -0,
      d: new Date(1),
      m: new Map([[{ a: 1 }, new Set([1n])]]),
      e: errorNamed('TypeError', 't'),
      $: 'own',
    },
  ),
  fails('a decorator', 'function logged(value) { return value; }\n@logged\nclass A {}', {
    name: 'UnsupportedSyntaxError',
    line: 2,
    column: 1,
    hint: 'without the decorator',
  }),
  fails('JSX', 'const a = 1;\nconst view = <div>{a}</div>;', {
    name: 'SyntaxError',
    line: 2,
    column: 14,
    hint: 'JSX',
  }),
];

/** As it is after it crossed: an Error with a name of its own. */
function errorNamed(name: string, message: string): Error {
  return Object.defineProperty(new Error(message), 'name', { value: name });
}
