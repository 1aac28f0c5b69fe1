import { defensive, family } from '../attempt.ts';

const SHARED = { breaksThroughUnsandboxed: 'aftermath' } as const;

export const state = family('state between runs', 'pollution', [
  { name: 'a property of Object.prototype', code: 'Object.prototype.polluted = 1' },
  { name: 'a property of Array.prototype', code: 'Array.prototype.polluted = 1' },
  { name: 'a method of Array.prototype', code: 'Array.prototype.map = () => ["forged"]' },
  { name: 'a method of String.prototype', code: 'String.prototype.replace = () => "forged"' },
  { name: 'a method of Map.prototype', code: 'Map.prototype.get = () => "forged"' },
  {
    name: 'a method of Promise.prototype',
    code: 'Promise.prototype.then = function () { return "forged" }',
  },
  { name: 'a method of RegExp.prototype', code: 'RegExp.prototype.exec = () => null' },
  { name: 'a method of Function.prototype', code: 'Function.prototype.call = () => "forged"' },
  { name: 'a method of Date.prototype', code: 'Date.prototype.getTime = () => 0' },
  { name: 'a method of Error.prototype', code: 'Error.prototype.toString = () => "forged"' },
  {
    name: 'the iterator of arrays',
    code: 'Array.prototype[Symbol.iterator] = function* () { yield "forged" }',
    expects: { breaksThroughUnsandboxed: 'death' },
  },
  {
    name: 'the prototype of all iterators',
    code: 'Object.getPrototypeOf(Object.getPrototypeOf([].values())).polluted = 1',
  },
  {
    name: 'the prototype of async functions',
    code: 'Object.getPrototypeOf(async () => {}).polluted = 1',
  },
  {
    name: 'a property defined with defineProperty',
    code: 'Object.defineProperty(Object.prototype, "polluted", { get: () => 1, configurable: true })',
  },
  {
    name: 'a property set with Reflect',
    code: 'Reflect.set(Array.prototype, "polluted", 1); Reflect.defineProperty(Object.prototype, "polluted", { value: 1 })',
  },
  {
    name: 'a getter made with __defineGetter__',
    code: 'Object.prototype.__defineGetter__("polluted", () => 1)',
  },
  {
    name: '__proto__ of a literal that is assigned to',
    code: '({}).__proto__.polluted = 1; [].__proto__.polluted = 1',
  },
  {
    name: 'another prototype for Object.prototype of arrays',
    code: 'Object.setPrototypeOf(Array.prototype, { polluted: 1 })',
  },
  { name: 'a method of Math', code: 'Math.max = () => "forged"' },
  { name: 'a method of JSON', code: 'JSON.stringify = () => "forged"' },
  { name: 'a static of Object', code: 'Object.keys = () => ["forged"]' },
  {
    name: 'a static of Array',
    code: 'Array.isArray = () => "forged"; Promise.resolve = () => "forged"',
  },
  {
    name: 'Symbol.species and well-known symbols',
    code: 'Object.defineProperty(Promise, Symbol.species, { get: () => undefined }); Symbol.iterator = 1',
  },
  {
    name: 'Error.prepareStackTrace and stackTraceLimit',
    code: 'Error.stackTraceLimit = 0; Error.prepareStackTrace = () => "forged"',
  },
  { name: 'a global variable', code: 'globalThis.leftBehind = 1' },
  {
    name: 'a global of the language',
    code: 'globalThis.Array = { isArray: () => "forged" }; globalThis.undefined = 1',
  },
  {
    name: 'a global made by an indirect eval',
    code: '(0, eval)("var leftBehind = 1"); Function("leftBehind = 1")()',
  },
  { name: 'a global made by sloppy code', code: 'Function("this.leftBehind = 1")()' },
  {
    name: 'the prototype of the global object',
    code: 'Object.setPrototypeOf(globalThis, { leftBehind: 1 })',
  },
  {
    name: 'the static properties of RegExp',
    code: '/(secret)/.exec("a secret"); return RegExp.$1',
    expects: {
      ...SHARED,
      afterwards: { code: 'return [String(RegExp.$1)]', value: ['undefined'] },
    },
  },
  {
    name: 'a registered symbol as a place to keep things',
    code: 'const key = Symbol.for("kept"); try { globalThis[key] = "kept"; Object.prototype[key] = "kept"; Function.prototype[key] = "kept" } catch {} return 1',
    expects: {
      ...SHARED,
      breaksThroughUnsandboxed: 'pollution',
      afterwards: {
        code: 'const key = Symbol.for("kept"); return [String(globalThis[key]), String((() => {})[key]), String(({})[key])]',
        value: ['undefined', 'undefined', 'undefined'],
      },
    },
  },
  {
    name: 'a timer that is left waiting',
    code: 'setTimeout(() => { globalThis.leftBehind = 1; console.log("late") }, 5); setInterval(() => console.log("late"), 1); return 1',
    expects: {
      breaksThroughUnsandboxed: 'aftermath',
      afterwards: {
        code: 'await new Promise((done) => setTimeout(done, 40)); return [typeof globalThis.leftBehind]',
        value: ['undefined'],
      },
    },
  },
  {
    name: 'a promise that is left over',
    code: '(async () => { await null; await tools.echo(1); globalThis.leftBehind = 1 })(); return 1',
    expects: {
      ...SHARED,
      afterwards: {
        code: 'await new Promise((done) => setTimeout(done, 20)); return [typeof globalThis.leftBehind]',
        value: ['undefined'],
      },
    },
  },
  {
    name: 'a file that is left in scratch',
    code: 'scratch.write("left", "behind"); return scratch.list?.()',
    expects: {
      ...defensive('a host without a sandbox keeps no scratch'),
      afterwards: { code: 'return scratch.list()', value: [] },
    },
  },
  {
    name: 'an input that is changed',
    code: 'input.port = 1; input.forged = true; return 1',
    expects: {
      ...SHARED,
      afterwards: { code: 'return [input?.forged === undefined]', value: [true] },
    },
  },
  {
    name: 'a changed module of the library',
    form: 'module',
    code: `import * as random from 'random'; import { deepcopy } from 'functools'; export default 1`,
    expects: defensive('a host without a sandbox has no such module'),
  },
  {
    name: 'state inside a module of the library',
    form: 'module',
    code: `import { seed, random } from 'random'; seed(1); random(); export default 1`,
    expects: {
      ...defensive('a host without a sandbox has no such module'),
      afterwards: {
        code: `import { random } from 'random'; const one = random(); return [one >= 0 && one < 1]`,
        value: [true],
      },
    },
  },
  {
    name: 'memory of the regular expression cache',
    code: 'const it = /x/g; it.lastIndex = 5; RegExp.prototype.flags2 = 1; return 1',
    expects: {
      afterwards: { code: 'return [/x/g.lastIndex, typeof /x/.flags2]', value: [0, 'undefined'] },
    },
  },
  {
    name: 'prototypes that only a call of Intl gives',
    code: 'const up = Object.getPrototypeOf(new Intl.Segmenter().segment("a")); up.containing = () => "forged"; Object.getPrototypeOf(new Intl.Segmenter().segment("a")[Symbol.iterator]()).next = () => ({ done: true }); return 1',
    expects: {
      ...SHARED,
      afterwards: {
        code: 'const it = new Intl.Segmenter().segment("ab"); return [it.containing(0) !== "forged", [...it].length]',
        value: [true, 2],
      },
    },
  },
  {
    name: 'prototypes that only a call of an iterator helper gives',
    code: 'for (const it of [[1].values().map((n) => n), Iterator.from({ next: () => ({ done: true }) }), "a".matchAll(/a/g), (async function* () {})(), new Map().entries(), new Set().values(), ""[Symbol.iterator]()]) { try { Object.getPrototypeOf(it).next = () => "forged" } catch {} try { Object.getPrototypeOf(it).leftBehind = 1 } catch {} } return 1',
    expects: {
      breaksThroughUnsandboxed: 'death',
      afterwards: {
        code: 'return [[..."a".matchAll(/a/g)].length, [...[1].values().map((n) => n + 1)][0], [...new Map([[1, 2]])].length, [..."ab"].length, typeof new Set().values().leftBehind]',
        value: [1, 2, 1, 2, 'undefined'],
      },
    },
  },
  {
    name: 'the object of a template that is the same each time',
    code: 'const tag = (strings) => { try { strings.left = "behind" } catch {} try { strings.raw.push("x") } catch {} return strings }; tag`a`; return 1',
    expects: {
      ...defensive('frozen in every engine'),
      afterwards: {
        code: 'const tag = (strings) => strings.left ?? "none"; return [tag`a`]',
        value: ['none'],
      },
    },
  },
  {
    name: 'the error that a disposal suppresses',
    code: 'try { using it = { [Symbol.dispose]() { throw 1 } }; throw 2 } catch (e) { Object.getPrototypeOf(e).left = "behind"; e.constructor.left = "behind" } return 1',
    expects: {
      ...SHARED,
      afterwards: {
        code: 'try { using it = { [Symbol.dispose]() { throw 1 } }; throw 2 } catch (e) { return [typeof e.left, typeof e.constructor.left] }',
        value: ['undefined', 'undefined'],
      },
    },
  },
  {
    name: "the prototype of an error of Node's own",
    code: 'try { new globalThis.TextDecoder("nothing") } catch (e) { Object.getPrototypeOf(e).left = "behind" } return 1',
    expects: {
      ...SHARED,
      afterwards: {
        code: 'try { new globalThis.TextDecoder("nothing") } catch (e) { return [typeof e.left] }',
        value: ['undefined'],
      },
    },
  },
]);
