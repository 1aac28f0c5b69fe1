import { defensive, family } from '../attempt.ts';

const BOUNDED = { status: ['limit', 'error'] } as const;

export const memory = family('memory', 'memory', [
  {
    name: 'arrays of numbers',
    code: 'const all = []; for (;;) all.push(new Array(1e5).fill(1.5))',
    expects: BOUNDED,
  },
  {
    name: 'one array that grows',
    code: 'const all = []; for (let i = 0; ; i++) all.push(i + 0.5)',
    expects: BOUNDED,
  },
  {
    name: 'objects',
    code: 'let all; for (let i = 0; ; i++) all = { all, i, text: "x" + i }',
    expects: BOUNDED,
  },
  {
    name: 'a list of one very long fill',
    code: 'const all = []; for (;;) all.push(new Array(3e7).fill(0))',
    expects: BOUNDED,
  },
  {
    name: 'strings',
    code: 'const all = []; for (let i = 0; ; i++) all.push(JSON.stringify("x".repeat(1e6) + i))',
    expects: BOUNDED,
  },
  {
    name: 'a string that doubles, and is made flat',
    code: 'const all = []; for (;;) { let text = "ab"; while (text.length < 2e8) { text += text; text.charCodeAt(text.length - 1) } all.push(text, text.split("").length) }',
    expects: BOUNDED,
  },
  {
    name: 'repeat, joined to something flat',
    code: 'const all = []; for (;;) all.push(JSON.stringify("\\u2028".repeat(1e7)))',
    expects: BOUNDED,
  },
  {
    name: 'split into characters',
    code: 'const all = []; for (;;) all.push("abcdefgh".repeat(2e6).split("").map((c) => ({ c })))',
    expects: BOUNDED,
  },
  {
    name: 'a regular expression that matches all of a text',
    code: 'const text = "a".repeat(5e6); const all = []; for (;;) all.push([...text.matchAll(/a/g)])',
    expects: BOUNDED,
  },
  {
    name: 'padStart to the longest text',
    code: 'const all = []; for (let i = 0; ; i++) all.push("x".padStart(1e8, String(i)).replace(/x$/, "y"))',
    expects: BOUNDED,
  },
  {
    name: 'typed arrays',
    code: 'const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1))',
    expects: BOUNDED,
  },
  {
    name: 'a typed array of all there is',
    code: 'const all = []; for (;;) all.push(new Float64Array(1e8).fill(1))',
    expects: BOUNDED,
  },
  {
    name: 'copies of a typed array',
    code: 'const one = new Uint8Array(2e7).fill(7); const all = []; for (;;) all.push(Uint8Array.from(one), one.slice())',
    expects: BOUNDED,
  },
  {
    name: 'array buffers that are resized',
    code: 'const all = []; for (;;) { const it = new ArrayBuffer(8, { maxByteLength: 5e7 }); it.resize(5e7); new Uint8Array(it).fill(1); all.push(it) }',
    expects: BOUNDED,
  },
  {
    name: 'array buffers that are transferred',
    code: 'const all = []; for (;;) { const it = new ArrayBuffer(1e7).transfer(3e7); new Uint8Array(it).fill(1); all.push(it) }',
    expects: BOUNDED,
  },
  {
    name: 'array buffers that nobody writes to',
    code: 'const all = []; for (let i = 0; i < 40; i++) all.push(new ArrayBuffer(1e8)); for (const one of all) new Uint8Array(one).fill(1)',
    expects: BOUNDED,
  },
  {
    name: 'a map',
    code: 'const all = new Map(); for (let i = 0; ; i++) all.set(i, { i })',
    expects: BOUNDED,
  },
  {
    name: 'many maps, for one may not grow beyond its bound',
    code: 'const all = []; for (;;) { const one = new Map(); for (let i = 0; i < 1e6; i++) one.set(i, i); all.push(one) }',
    expects: BOUNDED,
  },
  {
    name: 'a set',
    code: 'const all = []; for (;;) { const one = new Set(); for (let i = 0; i < 1e6; i++) one.add(i + 0.5); all.push(one) }',
    expects: BOUNDED,
  },
  {
    name: 'closures',
    code: 'const all = []; for (let i = 0; ; i++) { const held = new Array(50).fill(i); all.push(() => held) }',
    expects: BOUNDED,
  },
  {
    name: 'bigints',
    code: 'const all = []; let n = 1n << 1000000n; for (;;) all.push(n += 1n)',
    expects: BOUNDED,
  },
  {
    name: 'promises that wait',
    code: 'const all = []; for (;;) all.push(new Promise(() => {}).then(() => all))',
    expects: BOUNDED,
  },
  {
    name: 'a queue of microtasks',
    code: 'for (;;) Promise.resolve({ a: 1 }).then((x) => [x])',
    expects: BOUNDED,
  },
  {
    name: 'generators that are held open',
    code: 'const all = []; function* one() { const held = new Array(100).fill(1); yield held } for (;;) { const it = one(); it.next(); all.push(it) }',
    expects: BOUNDED,
  },
  {
    name: 'symbols and property names',
    code: 'const all = {}; for (let i = 0; ; i++) all["name" + i] = Symbol("symbol" + i)',
    expects: BOUNDED,
  },
  {
    name: 'programs',
    code: 'const all = []; for (let i = 0; ; i++) all.push(Function("return `" + "x".repeat(1e6) + i + "`")())',
    expects: { ...BOUNDED, breaksThroughUnsandboxed: 'hang' },
  },
  {
    name: 'errors with stacks',
    code: 'const all = []; const deep = (n) => n ? deep(n - 1) : all.push(new Error("x".repeat(1000) + all.length)); for (;;) deep(20)',
    expects: BOUNDED,
  },
  {
    name: 'clones',
    code: 'const one = Array.from({ length: 1e4 }, (_, i) => ({ i })); const all = []; for (;;) all.push(structuredClone(one))',
    expects: BOUNDED,
  },
  {
    name: 'JSON with a long indentation',
    code: 'let deep = 1; for (let i = 0; i < 5000; i++) deep = [deep, deep.length]; const all = []; for (;;) all.push(JSON.stringify(deep, null, 10).split("\\n"))',
    expects: BOUNDED,
  },
  {
    name: 'recursion with much in each frame',
    code: 'const deep = (...all) => deep(...all, ...all, 1); for (const all = [];;) try { deep(1) } catch (e) { all.push(new Array(1e6).fill(e)) }',
    expects: BOUNDED,
  },
  {
    name: 'a result that is far too large',
    code: 'return Array.from({ length: 60 }, (_, i) => JSON.stringify("x".repeat(1e7) + i))',
    expects: { status: ['limit', 'error'] },
  },
  {
    name: 'a result of one shared part, a thousand times',
    code: 'const part = "x".repeat(1e6); const all = Array.from({ length: 1000 }, () => part); return all',
    expects: {
      status: ['limit', 'error'],
      ...defensive('a host keeps it as it is; the text that is sent would be large'),
    },
  },
  {
    name: 'a result with a billion holes',
    code: 'return new Array(2 ** 32 - 1)',
    expects: { status: ['limit', 'error'], ...defensive('as holes it takes no room') },
  },
  {
    name: 'a log of a very long text',
    code: 'for (let i = 0; i < 60; i++) console.log(JSON.stringify("x".repeat(1e7) + i)); return 1',
    expects: { status: ['ok', 'limit', 'error'] },
  },
  {
    name: 'a log of very many lines',
    code: 'for (let i = 0; i < 5e6; i++) console.log("a line of the log that is kept " + i); return 1',
    expects: { status: ['ok', 'limit', 'error'] },
  },
  {
    name: 'an error with a very long message',
    code: 'throw new Error(Array.from({ length: 40 }, (_, i) => JSON.stringify("x".repeat(1e7) + i)).join(""))',
    expects: BOUNDED,
  },
  {
    name: 'an error with a very long name',
    code: 'const error = new Error("x"); error.name = JSON.stringify("n".repeat(4e8)); throw error',
    expects: BOUNDED,
  },
  {
    name: 'an error with very many causes',
    code: 'let error = new Error("x"); for (let i = 0; ; i++) error = new Error("x".repeat(100) + i, { cause: error })',
    expects: BOUNDED,
  },
  {
    name: 'scratch files',
    code: 'for (let i = 0; ; i++) scratch.write("file" + i, JSON.stringify("x".repeat(1e6) + i))',
    expects: { ...defensive('a host without a sandbox keeps no scratch'), ...BOUNDED },
  },
  {
    name: 'a scratch file that is appended to',
    code: 'for (;;) scratch.append("log", "x".repeat(1e6))',
    expects: { ...defensive('a host without a sandbox keeps no scratch'), ...BOUNDED },
  },
  {
    name: 'inputs of tools',
    code: 'const all = []; for (let i = 0; ; i++) all.push(tools.echo(JSON.stringify("x".repeat(9e5) + i)))',
    expects: { status: ['limit', 'error'] },
  },
]);
