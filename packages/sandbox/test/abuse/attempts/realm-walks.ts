import { defensive, family } from '../attempt.ts';

/** Finds the secret in whatever `process` a walk came to. */
const SECRET = 'env.ABUSE_CANARY';

/** Walks every object that can be reached from some roots, calling no function, until one holds the secret. */
const SWEEP = `function sweep(roots) {
  const seen = new Set(), left = [...roots];
  while (left.length > 0 && seen.size < 30000) {
    const at = left.pop();
    if ((typeof at !== 'object' && typeof at !== 'function') || at === null || seen.has(at)) continue;
    seen.add(at);
    try {
      for (const key of Reflect.ownKeys(at)) {
        if (key === 'ABUSE_CANARY') return at[key];
        try {
          const { value, get, set } = Reflect.getOwnPropertyDescriptor(at, key);
          left.push(value, get, set);
          if (get && key !== '__proto__') left.push(Reflect.apply(get, at, []));
        } catch {}
      }
      left.push(Reflect.getPrototypeOf(at));
    } catch {}
  }
  return seen.size;
}`;

const LITERALS: readonly (readonly [what: string, expression: string])[] = [
  ['an object', '({})'],
  ['an array', '[]'],
  ['a string', '""'],
  ['a regular expression', '/x/'],
  ['a symbol', 'Symbol.iterator'],
  ['a bigint', '1n'],
  ['a promise', 'Promise.resolve()'],
  ['a date', 'new Date(0)'],
  ['a typed array', 'new Float64Array(1)'],
  ['an array buffer', 'new ArrayBuffer(1)'],
  ['a proxy', 'new Proxy(class {}, {})'],
  ['an iterator', '[].values()'],
  ['a generator', '(function* () {})()'],
  ['a formatter of Intl', 'new Intl.NumberFormat()'],
  ['a segment iterator of Intl', 'new Intl.Segmenter().segment("a")[Symbol.iterator]()'],
  ['an iterator helper', '[1].values().map((n) => n)'],
];

export const realmWalks = family('realm walk', 'leak', [
  ...LITERALS.map(([what, expression]) => ({
    name: `the constructor's constructor of ${what}`,
    code: `return ${expression}.constructor.constructor('return process')().${SECRET}`,
  })),
  {
    name: 'the constructor of an arrow function',
    code: `return (() => {}).constructor('return process')().${SECRET}`,
  },
  {
    name: 'the constructor of an async function',
    code: `return (await (async () => {}).constructor('return process')()).${SECRET}`,
  },
  {
    name: 'the constructor of a generator function',
    code: `return (function* () {}).constructor('return process')().next().value.${SECRET} ?? (function* () {}).constructor('yield process')().next().value.${SECRET}`,
  },
  {
    name: 'the constructor of an async generator function',
    code: `return (await (async function* () {}).constructor('yield process')().next()).value.${SECRET}`,
  },
  {
    name: 'a constructor found by Reflect on the prototype of a method',
    code: `return Reflect.get(Reflect.getPrototypeOf({ m() {} }.m), 'constructor')('return process')().${SECRET}`,
  },
  {
    name: 'Reflect.construct of Function with another new.target',
    code: `return Reflect.construct(Function, ['return process'], class extends Array {})().${SECRET}`,
  },
  {
    name: 'a class that extends Function',
    code: `class Made extends Function {} return new Made('return process')().${SECRET}`,
  },
  {
    name: 'a proxy of Function',
    code: `return new Proxy(Function, {})('return process')().${SECRET}`,
  },
  {
    name: 'Function called by way of bind, call and apply',
    code: `return Function.bind.call(Function, null, 'return process').apply()().${SECRET}`,
  },
  {
    name: 'default parameters of a made function',
    code: `return Function('it = process', 'return it')().${SECRET}`,
  },
  {
    name: 'a made function whose body closes its wrapper',
    code: `return Function('/*', '*/) { return process }; function x(').${SECRET}`,
    expects: defensive('a syntax error in every engine that keeps the standard'),
  },
  { name: 'an indirect eval', code: `return (0, eval)('process').${SECRET}` },
  {
    name: 'eval of the global object',
    code: `return globalThis['ev' + 'al']('process').${SECRET}`,
  },
  {
    name: 'this of a sloppy function',
    code: `return (function () { return this })().process.${SECRET}`,
  },
  {
    name: 'this of a made function',
    code: `return Function('return this')().process.${SECRET}`,
  },
  {
    name: 'this of a callback of sort',
    code: `let it; [2, 1].sort(function () { it = this; return 0 }); return it.process.${SECRET}`,
  },
  {
    name: 'this of a getter of a primitive',
    code: `return Reflect.apply(function () { return this }, null, []).process.${SECRET}`,
  },
  {
    name: 'arguments.callee',
    code: `return (function () { return arguments.callee.constructor('return process')() })().${SECRET}`,
  },
  {
    name: 'the caller of a function',
    code: `function inner() { return inner.caller } function outer() { return inner() } return (outer() ?? outer).constructor('return process')().${SECRET}`,
  },
  {
    name: 'the with statement',
    code: `return Function('with (globalThis) return process')().${SECRET}`,
  },
  {
    name: 'frames of Error.prepareStackTrace',
    code: `Error.prepareStackTrace = (_, frames) => frames; function probe() { return new Error().stack }
for (const frame of probe()) { const self = frame.getThis?.(); if (self?.process) return self.process.${SECRET} }
return probe().constructor.constructor('return process')().${SECRET}`,
  },
  {
    name: 'frames of Error.captureStackTrace',
    code: `const it = {}; Error.prepareStackTrace = (_, frames) => frames; Error.captureStackTrace(it);
return it.stack[0].constructor.constructor('return process')().${SECRET}`,
  },
  {
    name: 'an error that the engine throws',
    code: `try { null.x } catch (e) { return e.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'an error of a stack overflow',
    code: `const deep = () => deep(); try { deep() } catch (e) { return e.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'a syntax error of eval',
    code: `try { (0, eval)('}') } catch (e) { return e.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'an error of JSON.parse, from its prototype on',
    code: `try { JSON.parse('{') } catch (e) { return Object.getPrototypeOf(Object.getPrototypeOf(e)).constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'an error of a tool that fails',
    code: `try { await tools.fail({}) } catch (e) { return e.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'what a failed tool keeps in its error',
    code: `try { await tools.fail({}) } catch (e) { return [e.secret, e.cause, e.stack, Object.getOwnPropertyNames(e).map((key) => String(e[key]))] }`,
  },
  {
    name: 'the constructor of a tool',
    code: `return tools.echo.constructor('return process')().${SECRET}`,
  },
  {
    name: 'the promise that a tool returns',
    code: `return tools.echo(1).then.constructor('return process')().${SECRET}`,
  },
  {
    name: 'the resolving functions of a promise',
    code: `let it; new Promise((resolve) => { it = resolve }); return it.constructor('return process')().${SECRET}`,
  },
  {
    name: 'a thenable that is awaited',
    code: `return await { then(done) { done(done.constructor('return process')().${SECRET}) } }`,
  },
  {
    name: 'a thenable as the value',
    code: `return { then(done) { done(done.constructor('return process')().${SECRET}) } }`,
  },
  {
    name: 'a species of Promise',
    code: `let it; class Sly extends Promise { static get [Symbol.species]() { return function (run) { run((v) => { it = v }, (e) => { it = e }) } } }
Sly.resolve(1).then((v) => v); return (function () { return this ?? it })().process.${SECRET} ?? it`,
  },
  {
    name: 'a species of Array',
    code: `const list = [1]; list.constructor = { [Symbol.species]: Function }; const made = list.map(() => 'return process');
return made.constructor.constructor('return process')().${SECRET}`,
  },
  {
    name: 'a tagged template',
    code: 'const tag = (strings) => strings.raw.constructor.constructor(strings[0])(); return tag`return process`.env.ABUSE_CANARY',
  },
  {
    name: 'a function as its own template tag',
    code: 'return Function`return process```.env.ABUSE_CANARY',
  },
  {
    name: 'the holder of a reviver',
    code: `return JSON.parse('{"a":1}', function () { return this.constructor.constructor('return process')().${SECRET} })`,
  },
  {
    name: 'the accessor of __proto__',
    code: `const { get } = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__'); return get.call(get).constructor('return process')().${SECRET}`,
  },
  {
    name: '__lookupGetter__',
    code: `return ({}).__lookupGetter__('__proto__').constructor('return process')().${SECRET}`,
  },
  {
    name: 'the traps of a proxy that is the value',
    code: `return new Proxy({}, { ownKeys: () => ['x'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
  get: (_, key) => key === 'x' ? Function('return process')().${SECRET} : undefined })`,
  },
  {
    name: 'a getter of the value',
    code: `return { get x() { return Function('return process')().${SECRET} } }`,
  },
  {
    name: 'toJSON of the value',
    code: `return { toJSON: (...given) => given.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'toString of what is thrown',
    code: `throw { toString: () => Function('return process')().${SECRET} }`,
  },
  {
    name: 'a getter of the message of what is thrown',
    code: `throw Object.defineProperty(new Error(), 'message', { get: () => Function('return process')().${SECRET} })`,
  },
  {
    name: 'the constructor of the console',
    code: `return console.log.constructor('return process')().${SECRET}`,
  },
  {
    name: 'the constructor of a timer function',
    code: `return setTimeout.constructor('return process')().${SECRET}`,
  },
  {
    name: 'the callback of a timer',
    code: `return await new Promise((done, fail) => setTimeout(function () { try { done((this?.constructor ?? done.constructor).constructor('return process')().${SECRET}) } catch (e) { fail(e) } }, 1))`,
  },
  {
    name: 'code in a string for a timer',
    code: `return await new Promise((done) => { globalThis.leftDone = done; setTimeout('leftDone(process.env.ABUSE_CANARY)', 1); setTimeout(done, 50) })`,
    expects: defensive('Node never evaluates strings in timers'),
  },
  {
    name: 'the rejection that nobody handles',
    code: `Promise.reject(Object.assign(new Error('x'), { stack: Function('return process')().${SECRET} })); await null; throw new Error(Function('return process')().${SECRET})`,
  },
  {
    name: 'the callsite of an async function, by a getter of stack',
    code: `Error.prepareStackTrace = (_, frames) => frames.constructor.constructor; await null; const it = new Error('x'); return it.stack('return process')().${SECRET}`,
  },
  {
    name: 'a walk over all that globalThis leads to',
    code: `${SWEEP} return sweep([globalThis])`,
  },
  {
    name: 'a walk over all that the tools lead to',
    code: `${SWEEP} return sweep([tools, tools.echo, await tools.rich({}), tools.crm, await tools.fail({}).catch((e) => e)])`,
  },
  {
    name: 'a walk over all that the console, timers and errors lead to',
    code: `${SWEEP} let caught; try { null.x } catch (e) { caught = e } return sweep([console, setTimeout, caught, structuredClone({}), queueMicrotask, input, scratch, globalThis.process, Function])`,
  },
  {
    name: 'a walk that calls each function with nothing',
    code: `${SWEEP} const found = []; for (const key of Reflect.ownKeys(globalThis)) { try { const it = globalThis[key]; if (typeof it === 'function' && !/exit|kill|clear|Worker/i.test(String(key))) { let made; try { made = Reflect.apply(it, undefined, []) } catch {} found.push(made); try { found.push(Reflect.construct(it, [])) } catch {} } } catch {} } return [sweep(found), sweep([globalThis])]`,
  },
  {
    name: "a decoder of Node's, whose handle is exchanged for another object",
    code: `const it = new globalThis.TextDecoder('euc-jp'); for (const key of Object.getOwnPropertySymbols(it)) if (typeof it[key] === 'object' && it[key]) it[key] = {}; return it.decode(new Uint8Array([1, 2]))`,
    expects: {
      breaksThroughUnsandboxed: 'death',
      status: ['error'],
      afterwards: {
        code: `return [typeof globalThis.TextDecoder, typeof globalThis.TextEncoder]`,
        value: ['undefined', 'undefined'],
      },
    },
  },
  {
    name: "an error of Node's own, which is no error of the language",
    code: `try { new globalThis.TextDecoder('nothing') } catch (e) { return e.constructor.constructor('return process')().${SECRET} }`,
  },
  {
    name: 'a compartment inside the compartment',
    code: `const { Compartment } = globalThis; const inner = Compartment ? new Compartment() : { evaluate: eval }; return inner.evaluate('process').${SECRET}`,
  },
  {
    name: 'all that has not been frozen, of all that can be made',
    code: `const open = []; const segments = new Intl.Segmenter().segment('a');
let suppressed; try { using it = { [Symbol.dispose]() { throw 1 } }; throw 2 } catch (e) { suppressed = e }
for (const [name, it] of Object.entries({ segments, segmentIterator: segments[Symbol.iterator](), suppressed, array: [].values(), map: new Map().keys(), set: new Set().keys(), text: ''[Symbol.iterator](), matches: ''.matchAll(/x/g), helper: [].values().take(1), wrapped: Iterator.from({ next() {} }), date: new Date(0), number: new Intl.NumberFormat(), promise: tools.echo(1), buffer: new ArrayBuffer(1), view: new DataView(new ArrayBuffer(1)), floats: new Float64Array(1), aggregate: new AggregateError([]), literal: /x/, boxed: Object(1n) }))
  for (let at = Object.getPrototypeOf(it); at; at = Object.getPrototypeOf(at)) if (!Object.isFrozen(at) || Reflect.ownKeys(at).some((key) => { const { value } = Reflect.getOwnPropertyDescriptor(at, key); return typeof value === 'function' && !Object.isFrozen(value) })) open.push(name);
if (open.length > 0) throw new Error(open.join() + globalThis.process.${SECRET}); return 'all frozen'`,
    expects: { status: ['ok'] },
  },
]);
