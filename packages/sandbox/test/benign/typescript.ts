import { fails, gives, type Snippet } from './snippet.ts';

/** TypeScript whose types can be erased, and what to say of the rest. */
export const typescript: readonly Snippet[] = [
  gives(
    'interfaces and typed parameters',
    'interface Order { id: string; total: number; note?: string }\nconst sum = (orders: Order[]): number => orders.reduce((t, o) => t + o.total, 0);\nsum([{ id: "a", total: 2 }, { id: "b", total: 3 }])',
    5,
  ),
  gives(
    'type aliases and unions',
    "type Shape = { kind: 'circle'; r: number } | { kind: 'square'; a: number };\nconst area = (s: Shape): number => s.kind === 'circle' ? 3 * s.r ** 2 : s.a ** 2;\narea({ kind: 'square', a: 3 })",
    9,
  ),
  gives(
    'generics',
    'function first<T>(items: readonly T[], or: T): T {\n  return items[0] ?? or;\n}\nfirst<number>([], 7)',
    7,
  ),
  gives(
    'a generic arrow function',
    'const group = <T, K extends string>(items: T[], by: (item: T) => K): Record<K, T[]> => {\n  const out = {} as Record<K, T[]>;\n  for (const item of items) (out[by(item)] ??= []).push(item);\n  return out;\n};\ngroup([1, 2, 3], (n) => (n % 2 ? "odd" : "even"))',
    { odd: [1, 3], even: [2] },
  ),
  gives(
    'as, satisfies and non-null',
    'const config = { a: 1 } satisfies Record<string, number>;\nconst found = [config].find((c) => c.a === 1)!;\n(found as { a: number }).a',
    1,
  ),
  gives(
    'as const and keyof typeof',
    "const LEVELS = ['low', 'high'] as const;\ntype Level = (typeof LEVELS)[number];\nconst level: Level = 'high';\nLEVELS.indexOf(level)",
    1,
  ),
  gives(
    'type imports',
    "import type { Decimal } from 'decimal';\nimport { type Decimal as D, Decimal as Dec } from 'decimal';\nconst sum = (a: Decimal, b: D): string => String(a.add(b));\nsum(new Dec('0.1'), new Dec('0.2'))",
    '0.3',
  ),
  gives(
    'overloads',
    'function pad(x: string): string;\nfunction pad(x: number): string;\nfunction pad(x: string | number): string {\n  return String(x).padStart(3, "0");\n}\npad(7) + pad("x")',
    '00700x',
  ),
  gives(
    'optional chaining and nullish values',
    'interface A { b?: { c?: () => number } }\nconst a: A = {};\na?.b?.c?.() ?? -1',
    -1,
  ),
  gives(
    'classes with modifiers',
    'abstract class Base { abstract name(): string; protected readonly id: number = 1 }\nclass Dog extends Base implements Named { override name(): string { return "dog" + this.id; } }\ninterface Named { name(): string }\nnew Dog().name()',
    'dog1',
  ),
  gives(
    'a definite assignment and an index signature',
    'class Box { value!: string; [key: string]: unknown }\nconst b = new Box();\nb.value = "x";\nb.value',
    'x',
  ),
  gives(
    'type guards and asserts',
    'function isText(x: unknown): x is string { return typeof x === "string"; }\nfunction assert(x: unknown): asserts x { if (!x) throw new Error("no"); }\nassert(true);\n[1, "a"].filter(isText)',
    ['a'],
  ),
  gives(
    'declare and this parameters',
    'declare const nothing: string;\nfunction who(this: { n: number }): number { return this.n; }\nwho.call({ n: 4 })',
    4,
  ),
  gives(
    'mapped and conditional types',
    'type Opt<T> = { [K in keyof T]?: T[K] };\ntype El<T> = T extends (infer U)[] ? U : never;\nconst patch: Opt<{ a: number }> = {};\nconst e: El<string[]> = "e";\n[patch, e]',
    [{}, 'e'],
  ),
  gives(
    'a typed catch and a typed tuple',
    'try {\n  throw new Error("x");\n} catch (error: unknown) {\n  const pair: [string, number?] = [(error as Error).message];\n  pair;\n}',
    ['x'],
  ),
  gives(
    'a comparison that looks like a type argument',
    'const a = 1, b = 2, c = 3;\n[a < b, b > (c)]',
    [true, false],
  ),
  gives(
    'typed async functions',
    'async function load(ids: string[]): Promise<Map<string, number>> {\n  return new Map(ids.map((id, i): [string, number] => [id, i]));\n}\nawait load(["a"])',
    new Map([['a', 0]]),
  ),
  gives(
    'an abstract constructor type and accessors',
    'class C { static #n: number = 0; get n(): number { return C.#n; } set n(v: number) { C.#n = v; } }\nconst c = new C();\nc.n = 2;\nc.n',
    2,
  ),
  gives(
    'a typed export default',
    'interface Input { n: number }\nexport default async function (input: Input): Promise<number> {\n  return input.n;\n}',
    3,
    { input: { n: 3 } },
  ),
  gives('language: typescript', 'let n: number | undefined;\nn ??= 2;\nn', 2, {
    language: 'typescript',
  }),
  gives(
    'a file that says what it is not',
    'const a = 1 as const;\n// enum Color { Red }\nconst s = "enum Color { Red }";\ns.length + a',
    19,
  ),
  fails(
    'an error keeps its place when types are erased',
    'interface A { b: number }\nconst a: A | undefined = undefined as A | undefined;\nconst n: number = a.b;\nn',
    { name: 'TypeError', line: 3, column: 21 },
  ),
  fails('a typo in typed code', 'const total: number = 1;\nconst x: number = totl + 1;', {
    name: 'ReferenceError',
    line: 2,
    column: 19,
    hint: 'Did you mean total?',
  }),
  fails('an enum', 'const a = 1;\nenum Color { Red, Green }\nColor.Red', {
    name: 'UnsupportedSyntaxError',
    line: 2,
    column: 1,
    hint: 'const object',
  }),
  fails('a parameter property', 'class A {\n  constructor(private x: number) {}\n}', {
    name: 'UnsupportedSyntaxError',
    line: 2,
    hint: 'in the constructor',
  }),
  fails('a type assertion in angle brackets', 'const a = 1;\nconst b = <number>a;', {
    name: 'UnsupportedSyntaxError',
    line: 2,
    column: 11,
    hint: 'value as Type',
  }),
  fails('a namespace', 'namespace N {\n  export const a = 1;\n}', {
    name: 'UnsupportedSyntaxError',
    line: 1,
    hint: 'const object',
  }),
  fails('a syntax error in typed code', 'const a: number = 1;\nconst b: = 2;', {
    name: 'SyntaxError',
    line: 2,
    column: 10,
  }),
];
