import { defensive, family } from '../attempt.ts';

const STOPPED = { status: ['limit'] } as const;
const STOPPED_OR_REFUSED = { status: ['limit', 'error'] } as const;

export const cpu = family('processor time', 'hang', [
  { name: 'a loop', code: 'for (;;) {}', expects: STOPPED },
  { name: 'a loop of microtasks', code: 'for (;;) await null', expects: STOPPED },
  {
    name: 'a promise that goes on for ever',
    code: 'const next = () => { Promise.resolve().then(next) }; next(); await new Promise(() => setTimeout(() => {}, 1e6))',
    expects: STOPPED,
  },
  {
    name: 'queueMicrotask that queues itself',
    code: 'const next = () => queueMicrotask(next); next(); await new Promise(() => setTimeout(() => {}, 1e6))',
    expects: STOPPED,
  },
  {
    name: 'async functions that call each other',
    code: 'const ping = async () => { await null; pong() }; const pong = async () => { await null; ping() }; ping(); await new Promise(() => setTimeout(() => {}, 1e6))',
    expects: STOPPED,
  },
  {
    name: 'a thenable that resolves to another',
    code: 'const then = () => ({ then: (done) => done(then()) }); return then()',
    expects: STOPPED,
  },
  {
    name: 'a generator without end',
    code: 'function* all() { for (;;) yield 1 } for (const one of all()) if (one === 2) break',
    expects: STOPPED,
  },
  {
    name: 'an async generator without end',
    code: 'async function* all() { for (;;) yield 1 } for await (const one of all()) if (one === 2) break',
    expects: STOPPED,
  },
  {
    name: 'finally that takes up again what return ended',
    code: 'for (;;) { try { return 1 } finally { continue } }',
    expects: STOPPED,
  },
  {
    name: 'a generator that will not be closed',
    code: 'function* stubborn() { for (;;) try { yield 1 } finally { continue } } const it = stubborn(); it.next(); while (!it.return().done); return 1',
    expects: STOPPED,
  },
  {
    name: 'a comparator that never answers',
    code: '[3, 2, 1].sort(() => { for (;;) {} })',
    expects: STOPPED,
  },
  {
    name: 'a regular expression that backtracks, with a back reference',
    code: String.raw`return /^(a|a)*\1b$/.test('a'.repeat(60))`,
    expects: STOPPED,
  },
  {
    name: 'a regular expression that backtracks, with a look-ahead',
    code: String.raw`return /^(?=((a+)+)+b)/.test('a'.repeat(60))`,
    expects: STOPPED,
  },
  {
    name: 'split by a regular expression that backtracks',
    code: String.raw`return 'a'.repeat(60).split(/(?:(a+)+)\1b/).length`,
    expects: STOPPED,
  },
  {
    name: 'a power of a bigint',
    code: 'let n = 3n; for (let i = 0; i < 40; i++) n *= n; return 1',
    expects: STOPPED_OR_REFUSED,
  },
  {
    name: 'the digits of a bigint',
    code: 'const n = 3n ** 6000000n; for (;;) n.toString().length',
    expects: STOPPED,
  },
  {
    name: 'text that is read as a bigint',
    code: "const digits = '9'.repeat(5e6); for (;;) BigInt(digits)",
    expects: STOPPED,
  },
  {
    name: 'JSON that is written again and again',
    code: 'const it = Array.from({ length: 3e5 }, (_, i) => ({ i })); for (;;) JSON.stringify(it)',
    expects: STOPPED,
  },
  {
    name: 'a reviver that never answers',
    code: "JSON.parse('[1]', () => { for (;;) {} })",
    expects: STOPPED,
  },
  {
    name: 'a search through a list that is said to be endless',
    code: 'return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)',
    expects: STOPPED,
  },
  {
    name: 'a fill of a list that is said to be endless',
    code: 'return Array.prototype.indexOf.call({ length: 2 ** 53 - 1, get 0() { return 0 } }, 1)',
    expects: STOPPED,
  },
  {
    name: 'the join of a billion holes',
    code: "return Array.prototype.join.call({ length: 2 ** 32 - 2 }, '').length",
    expects: STOPPED_OR_REFUSED,
  },
  {
    name: 'a spread of an iterator without end',
    code: 'Math.max(...{ [Symbol.iterator]: () => ({ next: () => { for (;;) {} } }) })',
    expects: STOPPED,
  },
  {
    name: 'Symbol.toPrimitive that never answers',
    code: 'return `${{ [Symbol.toPrimitive]() { for (;;) {} } }}`',
    expects: STOPPED,
  },
  {
    name: 'a getter of the value that never answers',
    code: 'return { get x() { for (;;) {} } }',
    expects: STOPPED,
  },
  {
    name: 'a proxy as the value, whose keys never come',
    code: 'return new Proxy({}, { ownKeys() { for (;;) {} }, get(t, k) { if (k !== "then") for (;;) {} } })',
    expects: STOPPED,
  },
  {
    name: 'a value whose prototype never comes',
    code: 'return new Proxy({}, { getPrototypeOf() { for (;;) {} }, get(t, k) { if (k !== "then") for (;;) {} } })',
    expects: STOPPED,
  },
  {
    name: 'an error thrown whose message never comes',
    code: 'throw new Proxy(new Error(), { get() { for (;;) {} }, getOwnPropertyDescriptor() { for (;;) {} }, getPrototypeOf() { for (;;) {} } })',
    expects: STOPPED,
  },
  {
    name: 'an error thrown with an endless chain of prototypes',
    code: 'let up; up = new Proxy({}, { getPrototypeOf: () => up, get: () => { for (;;) {} } }); throw up',
    expects: { breaksThroughUnsandboxed: 'death', status: ['limit', 'error'] },
  },
  {
    name: 'a logged value whose keys never come',
    code: 'console.log(new Proxy({}, { ownKeys() { for (;;) {} } })); for (;;) {}',
    expects: STOPPED,
  },
  {
    name: 'an input of a tool that never comes',
    code: 'await tools.echo({ get x() { for (;;) {} } }); for (;;) {}',
    expects: STOPPED,
  },
  {
    name: 'a loop in the callback of a timer',
    code: 'await new Promise(() => setTimeout(() => { for (;;) {} }, 1))',
    expects: STOPPED,
  },
  {
    name: 'a loop after a tool answers',
    code: 'await tools.echo(1); for (;;) {}',
    expects: STOPPED,
  },
  {
    name: 'a loop in a handler of a rejection',
    code: 'await Promise.reject(1).catch(() => { for (;;) {} })',
    expects: STOPPED,
  },
  {
    name: 'a loop in a static block',
    code: 'class It { static { for (;;) {} } }',
    expects: STOPPED,
  },
  { name: 'a loop in a made function', code: "Function('for (;;) {}')()", expects: STOPPED },
  { name: 'a loop in an indirect eval', code: "(0, eval)('for (;;) {}')", expects: STOPPED },
  {
    name: 'code that is made again and again',
    code: "for (let i = 0; ; i++) Function('return ' + i)",
    expects: STOPPED,
  },
  {
    name: 'rejections that nobody handles, without end',
    code: 'for (;;) { Promise.reject(1); await null }',
    expects: STOPPED,
  },
  {
    name: 'stack overflows without end',
    code: 'const deep = () => { deep() }; for (;;) try { deep() } catch {}',
    expects: STOPPED,
  },
  {
    name: 'a normalization of a long text, again and again',
    code: String.raw`const text = '\u0344'.repeat(1e6); for (;;) text.normalize('NFKD')`,
    expects: { status: ['limit'] },
  },
  {
    name: 'comparisons of long texts by locale',
    code: "const text = 'ä'.repeat(1e6); for (;;) text.localeCompare(text + 'x', 'de')",
    expects: STOPPED,
  },
  {
    name: 'a busy wait by the clock',
    code: 'const end = Date.now() + 1e6; while (Date.now() < end) {}',
    expects: STOPPED,
  },
  {
    name: 'Atomics.wait',
    code: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    expects: { status: ['violation'], violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'timers that start each other without end',
    code: 'const next = () => setTimeout(next, 0); for (let i = 0; i < 50; i++) next(); await new Promise(() => setInterval(() => {}, 1))',
    expects: {
      ...defensive('a host that has timers goes on turning; it has to end the run'),
      ...STOPPED,
    },
  },
  {
    name: 'a promise that is never settled',
    code: 'await new Promise(() => {})',
    expects: {
      ...defensive('nothing is busy; the run has to end all the same'),
      status: ['error'],
    },
  },
  {
    name: 'a tool that never answers',
    code: 'await tools.wait({})',
    expects: { ...defensive('waiting is no work; the run has to end all the same'), ...STOPPED },
  },
  {
    name: 'a loop inside the library, over an endless iterator',
    form: 'module',
    code: "import { count } from 'itertools'; for (const n of count(0)) if (n < 0) break; export default 1",
    expects: { ...defensive('a host without a sandbox has no such module'), ...STOPPED },
  },
  {
    name: 'a factorial of a number that is far too large',
    form: 'module',
    code: "import { factorial } from 'math'; export default String(factorial(1e9))",
    expects: {
      ...defensive('a host without a sandbox has no such module'),
      status: ['limit', 'error'],
    },
  },
  {
    name: 'a loop of microtasks that is left behind',
    code: 'const spin = async () => { for (;;) await null }; spin(); return 1',
    expects: {
      ...defensive(
        'that host reports between two turns of the loop; the next run has to go on too',
      ),
      status: ['ok', 'limit'],
    },
  },
  {
    name: 'a value that cannot be sent in time',
    code: 'const leaf = Array.from({ length: 1000 }, (_, i) => i); let tree = leaf; for (let i = 0; i < 30; i++) tree = [tree, tree]; return tree',
    expects: {
      ...defensive('that host has no memory for its text, and says so'),
      status: ['limit', 'error'],
    },
  },
]);
