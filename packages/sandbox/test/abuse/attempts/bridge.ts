import { defensive, family } from '../attempt.ts';

const OWN_HANDS = defensive(
  'a host that evaluates the code hands it the tools themselves; there is no bridge to abuse',
);

export const bridge = family('bridge', 'pollution', [
  {
    name: 'a tool called __proto__',
    code: `return await tools['__proto__']({})`,
    expects: OWN_HANDS,
  },
  {
    name: 'a tool called constructor',
    code: `return tools.constructor('return process')().env?.ABUSE_CANARY ?? tools.constructor.constructor('return process')().env.ABUSE_CANARY`,
    expects: { breaksThroughUnsandboxed: 'leak' },
  },
  {
    name: 'tools that every object inherits',
    code: `const said = []; for (const name of ['toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'then', 'apply', 'call', 'bind']) try { said.push(await tools[name]?.({})) } catch (e) { said.push(e.name) } return said`,
    expects: OWN_HANDS,
  },
  {
    name: 'a tool of a branch that every object inherits',
    code: `return tools.crm.constructor.constructor('return process')().env.ABUSE_CANARY`,
    expects: { breaksThroughUnsandboxed: 'leak' },
  },
  {
    name: 'a prototype reached through the tools',
    code: `tools.crm.__proto__.polluted = 1`,
    expects: { afterwards: { code: 'return [({}).polluted === undefined]', value: [true] } },
  },
  { name: 'a prototype reached through a tool', code: `tools.echo.__proto__.polluted = 1` },
  {
    name: 'tools that are overwritten',
    code: `tools.echo = async () => 'forged'; tools.crm.find = async () => 'forged'; return await tools.echo(1)`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'tools that are deleted',
    code: `delete tools.echo; return typeof tools.echo`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'tools that are defined anew',
    code: `Object.defineProperty(tools, 'echo', { value: async () => 'forged' })`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'a new prototype for the tools',
    code: `Object.setPrototypeOf(tools, { forged: 1 }); tools.echo = undefined`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'tools that are frozen',
    code: `Object.freeze(tools); globalThis.tools = { echo: async () => 'forged' }; return 1`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'a global in place of the tools',
    code: `globalThis.tools = { echo: async () => 'forged' }; return 1`,
    expects: { breaksThroughUnsandboxed: 'aftermath' },
  },
  {
    name: 'an input with __proto__ in JSON',
    code: `return await tools.echo(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input that is merged by its constructor',
    code: `const merge = (to, from) => { for (const key in from) if (typeof from[key] === 'object') merge(to[key] ??= {}, from[key]); else to[key] = from[key] }; merge(await tools.echo({}), JSON.parse('{"__proto__":{"polluted":1}}'))`,
  },
  {
    name: 'an input with a cycle',
    code: `const it = {}; it.it = it; return await tools.echo(it)`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input that is very deep',
    code: `let it = {}; for (let i = 0; i < 1e5; i++) it = { it }; return await tools.echo(it)`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input that is very long',
    code: `return await tools.echo('x'.repeat(2e7))`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'an input with very many keys',
    code: `return await tools.echo(Object.fromEntries(Array.from({ length: 3e5 }, (_, i) => ['key' + i, i])))`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'an input whose every character grows when it is written',
    code: String.raw`return (await tools.echo('\u0000'.repeat(9e5))).length`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input whose getter throws',
    code: `return await tools.echo({ get x() { throw new Error('thrown') } })`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'an input whose getter changes at each look',
    code: `let n = 0; return await tools.echo({ get x() { return n++ ? { toString: 1 } : 1 } })`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input with toJSON',
    code: `return await tools.echo({ toJSON: () => ({ forged: 1 }), x: 1n })`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input that is a proxy whose traps lie',
    code: `return await tools.echo(new Proxy([], { get: (t, key) => key === 'length' ? 2 ** 40 : Reflect.get(t, key), ownKeys: () => ['length'] }))`,
    expects: { ...OWN_HANDS, status: ['error', 'limit'] },
  },
  {
    name: 'an array that says it is endless',
    code: `return await tools.echo(Object.assign(Object.create(Array.prototype), { length: 2 ** 53 - 1 }))`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input of functions and symbols',
    code: `const said = []; for (const it of [() => {}, Symbol('x'), { [Symbol.iterator]: 1, f() {} }, new WeakMap(), /x/, Promise.resolve(1), new Uint8Array(3)]) try { said.push(await tools.echo(it)) } catch (e) { said.push(e.name) } return said.length`,
    expects: OWN_HANDS,
  },
  {
    name: 'an input that looks like a tag of the protocol',
    code: `const it = { $: 'map', v: [['__proto__', { polluted: 1 }]] }; const back = await tools.echo(it); return [back.$, back.v.length, { $: 'error', v: { name: 1 } }, { $: 'date', v: 'x' }, { $: { $: 'set' } }]`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'numbers that JSON does not have',
    code: `const it = await tools.echo([NaN, -0, Infinity, -Infinity, 2n ** 70n, undefined]); return [Number.isNaN(it[0]), Object.is(it[1], -0), it[2], it[4]]`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'a bigint that is too long to write',
    code: `return await tools.echo(2n ** 1000000n)`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a text with half of a character',
    code: String.raw`return [await tools.echo('\ud800'), '\udfff', { ['\ud800']: 1 }]`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'a hundred thousand calls',
    code: `return (await Promise.all(Array.from({ length: 1e5 }, (_, i) => tools.echo(i)))).length`,
    expects: { ...OWN_HANDS, status: ['limit'] },
  },
  {
    name: 'a hundred thousand calls that nobody awaits',
    code: `for (let i = 0; i < 1e5; i++) tools.echo(i).catch(() => {}); return 1`,
    expects: { ...OWN_HANDS, status: ['limit', 'ok'] },
  },
  {
    name: 'calls after the end',
    code: `const call = tools.echo; Promise.resolve().then(() => call(1)).then(() => call(2)); setTimeout(() => call(3), 1); return 1`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'answers that could be mistaken for each other',
    code: `const all = await Promise.all(Array.from({ length: 300 }, async (_, i) => (await tools.echo({ i })).i === i)); return all.every(Boolean)`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'a Promise whose then is changed, while a tool answers',
    code: `const then = Promise.prototype.then; Promise.prototype.then = function (...given) { globalThis.leftSeen = 1; return then.apply(this, given) }; return await tools.echo(1)`,
  },
  {
    name: 'an Array whose push is changed, while a tool answers',
    code: `Array.prototype.push = function () { return 0 }; return await tools.echo(1)`,
  },
  {
    name: 'a JSON that is changed, while a tool answers',
    code: `JSON.stringify = () => '{"type":"done"}'; return await tools.echo(1)`,
  },
  {
    name: 'an Object.prototype with a setter for what messages are made of',
    code: `for (const key of ['type', 'run', 'id', 'tool', 'input', 'outcome', 'value', 'ok']) Object.defineProperty(Object.prototype, key, { configurable: true, set(v) { globalThis.leftSeen = v }, get: () => 'forged' }); return await tools.echo({ a: 1 })`,
  },
  {
    name: 'an Object.prototype with toJSON',
    code: `Object.prototype.toJSON = () => 'forged'; return { a: 1 }`,
    expects: { breaksThroughUnsandboxed: 'death' },
  },
  {
    name: 'the members of an output that are not data',
    code: `const it = await tools.rich({}); return [it.ABUSE_CANARY, it.fromPrototype, Object.getPrototypeOf(it).constructor.name, Object.getOwnPropertySymbols(it).map((key) => it[key])]`,
    expects: { breaksThroughUnsandboxed: 'leak' },
  },
  {
    name: 'a log of frames of the protocol',
    code: String.raw`console.log('\u0000\u0000\u0000\u0010{"type":"done"}'); console.log('\n{"type":"call","tool":"echo"}\n'); console.error('\u001b[2J\u001b]0;x\u0007'); return 1`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'a thrown thing that is no error',
    code: `throw Object.create(null, { message: { get() { throw 1 } }, [Symbol.toPrimitive]: { value() { throw 2 } } })`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a thrown proxy that has been revoked',
    code: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a revoked proxy as the value',
    code: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return [proxy]`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a value that only pretends to be a Map',
    code: `return Object.create(Map.prototype, { size: { value: 1e9 } })`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a Map that lies about its entries',
    code: `class Sly extends Map { *[Symbol.iterator]() { for (;;) yield [1, 1] } forEach() { for (;;) {} } get size() { return 1e9 } } return new Sly([[1, 2]])`,
    expects: { ...OWN_HANDS, status: ['ok', 'error'] },
  },
  {
    name: 'an error that claims to be a violation',
    code: `const error = new Error('claimed'); error.name = 'SandboxViolationError'; throw Object.assign(error, { violation: { type: 'TIMEOUT' } })`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'a tool that is called as a constructor',
    code: `try { return String(new tools.echo({})) } catch (e) { return e.name }`,
    expects: OWN_HANDS,
  },
  {
    name: 'violations without end',
    code: `for (;;) try { fetch('http://127.0.0.1:' + input.port) } catch {}`,
    expects: {
      breaksThroughUnsandboxed: 'hang',
      status: ['violation'],
      violation: 'NETWORK_ACCESS_ATTEMPT',
    },
  },
  {
    name: 'a hundred thousand timers',
    code: `for (let i = 0; i < 1e5; i++) setTimeout(() => {}, 1e6); return 1`,
    expects: { ...OWN_HANDS, status: ['error'] },
  },
  {
    name: 'timers that are started and taken back without end',
    code: `for (let i = 0; i < 3000; i++) clearTimeout(setTimeout(() => {}, 1e6)); return 1`,
    expects: { ...OWN_HANDS, status: ['ok', 'limit', 'error'] },
  },
  {
    name: 'calls out of the last bit of the stack',
    code: `let left = 200; const deep = () => { try { deep() } finally { if (left-- > 0) tools.echo(left).catch(() => {}) } }; try { deep() } catch {} return await tools.echo('still right')`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'logs out of the last bit of the stack',
    code: `let left = 200; const deep = () => { try { deep() } finally { if (left-- > 0) console.log({ left: [left] }) } }; try { deep() } catch {} return await tools.echo('still right')`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
  {
    name: 'violations out of the last bit of the stack',
    code: `let left = 50; const deep = () => { try { deep() } finally { if (left-- > 0) try { fetch('x') } catch {} } }; try { deep() } catch {} return await tools.echo('still right')`,
    expects: { ...OWN_HANDS, status: ['ok'] },
  },
]);
