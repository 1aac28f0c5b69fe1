import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSandbox, type Spawn } from '@buddy/sandbox';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../src/host/child.ts';
import { findChildProgram } from '../src/host/child-program.ts';
import { launch, type LaunchPlan } from '../src/host/launch.ts';
import { decideNamespace } from '../src/host/namespace.ts';
import { hasProc } from '../src/host/process-usage.ts';
import { SandboxLimits } from '../src/options.ts';
import type { GuestOutcome } from '../src/protocol/messages.ts';

// Each layer has to hold what it claims with all the others taken away; and what it holds has to break through when it
// is taken away too, else nothing was shown. Layers 1 and 2 are taken out of the child's program when it is bundled for
// these tests, 3 to 5 out of the command that starts it; the package itself has no switch for either.

const CANARY = 'canary-77c1';
let folder: string;
let server: Server;
let connections = 0;
let port: number;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'layers-off-')));
  writeFileSync(join(folder, 'canary.txt'), CANARY);
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(Number(Reflect.get(Object(server.address()), 'port'))),
    );
  });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ways to what is outside; each gives back the canary when it gets there. */
const ways: Record<string, string> = {
  'the name of the process': 'process.env.CANARY',
  'the global object': 'globalThis.process.env.CANARY',
  'a constructor of functions': 'Function("return this")().process.env.CANARY',
  'a constructor of async functions':
    'await (async () => {}).constructor("return process.env.CANARY")()',
  'a constructor of generators':
    '(function* () {}).constructor("return process.env.CANARY")().next().value',
  'an indirect eval': '(0, eval)("process").env.CANARY',
  'a built-in module': 'process.getBuiltinModule("fs").readFileSync(FILE, "utf8")',
  'a dynamic import': '(await import("node:fs")).readFileSync(FILE, "utf8")',
  'a dynamic import behind a comment': '(await import/**/("node:fs")).readFileSync(FILE, "utf8")',
  'a dynamic import out of a text':
    '(await (0, eval)("im" + "port(\'node:fs\')")).readFileSync(FILE, "utf8")',
  'a dynamic import by a new function':
    '(await (async () => {}).constructor("return im" + "port(\'node:fs\')")()).readFileSync(FILE, "utf8")',
};

/** The work, of some that gives back a word, that gets as far as to say it. Without the gate, whatever of the other layers is left. */
async function done(
  work: Readonly<Record<string, string>>,
  word: RegExp,
  spawnAs: Spawn,
): Promise<string[]> {
  const file = JSON.stringify(join(folder, 'canary.txt'));
  const sources = Object.values(work).map(
    (code) => `async () => { const FILE = ${file}; return String(${code}); }`,
  );
  const outcomes = await runAllRaw(sources, spawnAs);
  return Object.keys(work).filter((_, index) => word.test(JSON.stringify(outcomes[index])));
}

function waysThatReach(spawnAs: Spawn): Promise<string[]> {
  return done(ways, new RegExp(CANARY), spawnAs);
}

describe('with every layer off', () => {
  it('all ways lead outside', async () => {
    expect(await waysThatReach(unprotected(await programWithout(1, 2)))).toEqual(Object.keys(ways));
  });
});

describe('layer 0, the source gate, alone', () => {
  it.each([
    'import("node:fs")',
    'import /* x */ ("node:fs")',
    'import.source("node:fs")',
    'import.defer("node:fs")',
    'import.meta.url',
    'import fs from "node:fs"; fs',
    'import defer * as fs from "node:fs"; fs',
    'export { readFileSync } from "node:fs"',
    '`${import("node:fs")}`',
    'class A { [import("node:fs")] = 1 }',
  ])('refuses %j before there is a process to run it', async (code) => {
    await using sandbox = await createSandbox(
      { poolSize: 1 },
      { spawn: unprotected(await programWithout(1, 2)) },
    );
    const result = await sandbox.run(code);
    expect(result.status).toBe('violation');
    expect(result.usage.wallMs).toBe(0);
  });
  it('refuses what is too large or too deep, and names that nothing declares', async () => {
    await using sandbox = await createSandbox(
      { poolSize: 1, limits: { maxSourceBytes: 2_000 } },
      { spawn: unprotected(await programWithout(1, 2)) },
    );
    for (const code of ['1'.repeat(3_000), `${'['.repeat(900)}${']'.repeat(900)}`, 'module.paths'])
      expect(await sandbox.run(code)).toMatchObject({ status: 'error', usage: { wallMs: 0 } });
  });
});

describe('layer 1, the compartment, alone', () => {
  it('lets no way lead outside', async () => {
    expect(await waysThatReach(unprotected(await programWithout(2)))).toEqual([]);
  });
  it('needs the flags of layer 3 for one thing: imports in another phase', async () => {
    // A program of WebAssembly's, compiled from nothing but bytes; SES 2.3 does not see this form of import.
    const source =
      'async () => Object.prototype.toString.call(await import.source("data:application/wasm;base64,AGFzbQEAAAA="))';
    const program = await programWithout(2);
    expect(await runRaw(source, unprotected(program))).toEqual({
      status: 'value',
      value: '[object WebAssembly.Module]',
    });
    expect(await runRaw(source, withFlags(program))).toMatchObject({
      status: 'thrown',
      thrown: { name: 'SyntaxError' },
    });
  });
});

describe('layer 2, the empty start realm, alone', () => {
  it('lets no way lead outside', async () => {
    expect(await waysThatReach(unprotected(await programWithout(1)))).toEqual([]);
  });
  it('leaves nothing of the host in it', async () => {
    const names =
      'process require module Buffer fetch WebSocket setTimeout queueMicrotask global navigator WebAssembly crypto';
    const source = `async () => ${JSON.stringify(names.split(' '))}.filter((name) => name in globalThis)`;
    expect(await runRaw(source, unprotected(await programWithout(1)))).toEqual({
      status: 'value',
      value: [],
    });
    expect(await runRaw(source, unprotected(await programWithout(1, 2)))).toMatchObject({
      value: expect.arrayContaining(['process', 'Buffer', 'fetch', 'WebSocket']),
    });
  });
});

describe('layer 3, the process, alone', () => {
  const fs = 'process.getBuiltinModule("node:fs")';
  const attempts: Record<string, string> = {
    'reads a file': `${fs}.readFileSync(FILE, "utf8")`,
    'writes a file': `${fs}.writeFileSync(FILE + ".new", "x") ?? "done"`,
    'lists a folder': `${fs}.readdirSync("/").length && "done"`,
    'links a file': `${fs}.symlinkSync(FILE, FILE + ".link") ?? "done"`,
    'starts a program':
      'String(process.getBuiltinModule("node:child_process").execFileSync("/bin/echo", ["done"]))',
    'starts a thread':
      'new (process.getBuiltinModule("node:worker_threads").Worker)("1", { eval: true }) && "done"',
    'opens a database':
      'new (process.getBuiltinModule("node:sqlite").DatabaseSync)(FILE + ".db") && "done"',
    'opens an inspector': '(process.getBuiltinModule("node:inspector").open(0), "done")',
    'reads the environment': 'process.env.CANARY ? "done" : "nothing"',
  };
  const isDone = new RegExp(`${CANARY}|done`);
  it('lets nothing be done, though all names lead outside', async () => {
    const flagged = withFlags(await programWithout(1, 2));
    expect(await runRaw('async () => typeof process.binding', flagged)).toMatchObject({
      value: 'function',
    });
    expect(await done(attempts, isDone, flagged)).toEqual([]);
  });
  it('would be missed: without its flags all of it is done', async () => {
    const open = unprotected(await programWithout(1, 2));
    expect(await done(attempts, isDone, open)).toEqual(Object.keys(attempts));
  });
  it('is not needed for the compartment to hold', async () => {
    expect(await waysThatReach(unprotected(await findChildProgram()))).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('layer 4, the limits', () => {
  const spin = 'for (;;) {}';
  const grow = 'const all = []; for (;;) all.push(new Uint8Array(8e6).fill(1));';

  it('ends a loop by RLIMIT_CPU alone, with no host that looks after it', async () => {
    const child = launch(systemSpawn, await planOf({ program: script(spin), cpuSeconds: 1 }));
    expect(await endOf(child)).toMatch(/SIGXCPU|SIGKILL|^1(?:52|37)$/);
  });
  it('bounds memory by RLIMIT_DATA alone, and would be missed', async () => {
    // Not written to, so that the control takes no memory from the machine; the kernel counts it all the same.
    const program = script(`
      const all = [];
      let said = 'all of it';
      try { while (all.length < 150) all.push(new Uint8Array(8e6)); } catch (e) { said = e.name; }
      require('node:fs').writeSync(1, said);`);
    const plan = await planOf({ program, memoryMb: 64, cpuSeconds: 20 });
    expect(await outputOf(launch(systemSpawn, plan))).toBe('RangeError');
    expect(await outputOf(launch(withoutRlimits, plan))).toBe('all of it');
  });
  it('ends a loop and a bomb by the watchdog alone, without rlimits', async () => {
    await using sandbox = await createSandbox(
      { osIsolation: 'off', limits: { wallMs: 400, memoryMb: 64 } },
      { spawn: withoutRlimits },
    );
    expect(await sandbox.run(spin)).toMatchObject({ status: 'limit', limit: { kind: 'wall' } });
    expect(await sandbox.run(grow)).toMatchObject({ status: 'limit', limit: { kind: 'memory' } });
    expect(await sandbox.run('6 * 7')).toMatchObject({ value: 42 });
  });
  it.skipIf(!hasProc)('would be missed: without both, a loop goes on', async () => {
    const child = launch(withoutRlimits, await planOf({ program: script(spin), cpuSeconds: 1 }));
    const ended = endOf(child);
    // Until it has used more of the processor than the limit that is not there: that takes real time.
    while (cpuSecondsOf(child.pid ?? 0) < 1.2) await Promise.race([ended, setTimeout(20)]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
  });
});

const connect = (): string =>
  // A timer that nobody answers: without a question under way, a run that waits is over.
  `async ({ setTimeout: wait }) => new Promise((done) => wait(done, 1e4) && process.getBuiltinModule("node:net").connect(${port}, "127.0.0.1", () => done("connected")).on("error", (e) => done(e.code)))`;

describe('layer 5, the namespace, alone', async () => {
  const hasNamespaces = await decideNamespace('auto');
  it.skipIf(!hasNamespaces)('keeps a process that nothing else holds off the network', async () => {
    const program = await programWithout(1, 2);
    connections = 0;
    const plan = { inNamespace: true };
    expect(await runRaw(connect(), withoutFlags(program), plan)).toMatchObject({
      value: expect.stringMatching(/^E[A-Z]+$/),
    });
    expect(connections).toBe(0);
  });
  it('would be missed: outside of it, the same process connects', async () => {
    connections = 0;
    expect(await runRaw(connect(), withoutFlags(await programWithout(1, 2)))).toEqual({
      status: 'value',
      value: 'connected',
    });
    await expect.poll(() => connections).toBe(1); // the child may hear of it first
  });
  it('is said to be on or off', async () => {
    await using off = await createSandbox({ osIsolation: 'off', poolSize: 1 });
    await using auto = await createSandbox({ osIsolation: 'auto', poolSize: 1 });
    expect(off.report().layers[5]?.isActive).toBe(false);
    expect(auto.report().layers[5]?.isActive).toBe(hasNamespaces);
  });
});

// A child whose program is not ours any more: it is ready, it starts its run, and then it lies.
async function lie(worst: string, maxResultBytes = 10_000) {
  await using sandbox = await createSandbox(
    { poolSize: 1, limits: { wallMs: 400, maxResultBytes, maxArgumentBytes: 10_000 } },
    { spawn: unprotected(script(`${LIAR}function worst() { ${worst} }`)) },
  );
  return await sandbox.run('1');
}

describe('layer 6, the host side, alone', () => {
  const misbehaves = { status: 'violation', violation: { type: 'BUILTIN_VIOLATION' } };

  it.each([
    ['a frame of 4 GB, announced', 'fs.writeSync(1, Buffer.alloc(4, 0xff))'],
    ['a frame just over the cap', 'raw(JSON.stringify("x".repeat(1e6)))'],
    ['an array for a message', 'raw("[]")'],
    ['bytes that are no text', 'raw(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))'],
    ['a message without its run', 'send({ type: "log", level: "log", text: "" })'],
    ['a run that is no number', 'send({ type: "log", run: "1", level: "log", text: "" })'],
    ['a level that there is not', 'send({ type: "log", run, level: "__proto__", text: "" })'],
    [
      'a violation of a kind of its own',
      'send({ type: "violation", run, violation: { type: "X", details: "", line: 1 } })',
    ],
    [
      'an outcome of a kind of its own',
      'send({ type: "done", run, isIdle: true, outcome: { status: "ok", value: 1 } })',
    ],
    [
      'an outcome that is no data',
      'raw(\'{"type":"done","run":\' + run + \',"isIdle":true,"outcome":{"status":"value"}}\')',
    ],
    ['a tool that there is not', 'send({ type: "call", run, id: 1, tool: "toString", input: 1 })'],
    ['a timer with a wrong id', 'send({ type: "timer", run, id: 9, ms: 1 })'],
    ['a timer for ever', 'raw(\'{"type":"timer","run":\' + run + \',"id":1,"ms":1e999}\')'],
    ['that it is ready, again', 'send({ type: "ready" })'],
  ])('stops a child that sends %s', async (_what, worst) => {
    expect(await lie(worst)).toMatchObject(misbehaves);
  });
  it.each([
    [
      'a done of another run',
      'send({ type: "done", run: run + 1, isIdle: true, outcome: { status: "value", value: "forged" } })',
    ],
    [
      'calls of another run',
      'for (let i = 1; i < 99; i++) send({ type: "call", run: run - 1, id: i, tool: "toString", input: 1 })',
    ],
  ])('hears nothing of %s', async (_what, worst) => {
    expect(await lie(worst)).toMatchObject({ status: 'limit', limit: { kind: 'wall' }, calls: [] });
  });
  it.each([
    [
      'violations',
      'for (;;) send({ type: "violation", run, violation: { type: "TIMEOUT", details: "x", line: null } })',
      'violation',
    ],
    ['logs', 'for (;;) send({ type: "log", run, level: "log", text: "x".repeat(9_000) })', 'limit'],
    [
      'messages of other runs',
      'for (;;) send({ type: "log", run: run + 1, level: "log", text: "x".repeat(9_000) })',
      'limit',
    ],
  ])('ends a flood of %s', async (_what, worst, status) => {
    expect(await lie(worst)).toMatchObject({ status });
  });
  it('takes a value for what it is, however it is tagged', async () => {
    const value = '{"$":"object","v":[["__proto__",{"polluted":1}]]}';
    const result = await lie(
      `raw('{"type":"done","run":' + run + ',"isIdle":true,"outcome":{"status":"value","value":${value}}}')`,
    );
    expect(result).toMatchObject({ status: 'error', error: { kind: 'result' } });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
  it('is needed: the same bytes bring down a host that talks to its child as Node does', async () => {
    const liar = script(
      `require('node:fs').writeSync(3, '{"cmd":"NODE_HANDLE_ACK"}\\n'); setTimeout(() => {}, 500);`,
    );
    const host = script(
      `const child = require('node:child_process').fork(${JSON.stringify(liar)}); child.on('exit', () => { console.log('survived'); });`,
    );
    const child = spawn(process.execPath, [host], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = endOf(child);
    expect(await outputOf(child)).toBe('');
    expect(await ended).not.toBe('0');
  });
});

const LIAR = `
const fs = require('node:fs');
let run = 0;
process.stdin.on('end', () => process.exit());
process.stdin.on('data', (bytes) => {
  const text = bytes.toString('latin1');
  if (text.includes('"setup"')) send({ type: 'ready' });
  const [, number] = /"type":"run","run":(\\d+)/.exec(text) ?? [];
  if (!number || run) return;
  run = Number(number);
  send({ type: 'started', run });
  worst();
});
function send(message) { raw(JSON.stringify(message)); }
function raw(body) {
  const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(body)]);
  frame.writeUInt32BE(frame.length - 4, 0);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(1, frame, at);
}
`;

const builds = new Map<string, Promise<string>>();

/** The child's program without the compartment (1), or without the emptying of its start realm (2). */
function programWithout(...layers: (1 | 2)[]): Promise<string> {
  const key = layers.join('-');
  const known = builds.get(key) ?? buildWithout(layers, join(folder, `without-${key}.cjs`));
  builds.set(key, known);
  return known;
}

async function buildWithout(layers: readonly (1 | 2)[], outfile: string): Promise<string> {
  const src = fileURLToPath(new URL('../src/', import.meta.url));
  await build({
    entryPoints: [join(src, 'child/main.ts')],
    bundle: true,
    outfile,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'silent',
    plugins: [
      {
        name: 'without-layers',
        setup(bundle) {
          if (layers.includes(1)) {
            bundle.onResolve({ filter: /^ses$/ }, () => ({ path: 'ses', namespace: 'none' }));
            bundle.onLoad({ filter: /^ses$/, namespace: 'none' }, () => ({
              contents: NO_COMPARTMENT,
              resolveDir: src,
            }));
            bundle.onLoad({ filter: /compilers\.ts$/ }, ({ path }) => ({
              contents: withoutCalls(readFileSync(path, 'utf8'), [
                "Object.defineProperty(prototype, 'constructor', { value: constructor });",
              ]),
              loader: 'ts',
            }));
          }
          if (layers.includes(2)) {
            bundle.onLoad({ filter: /start-realm\.ts$/ }, ({ path }) => ({
              contents: withoutCalls(readFileSync(path, 'utf8'), [
                'registerHooks({ resolve: refuseModule, load: refuseModule });',
                '  emptyGlobal();',
              ]),
              loader: 'ts',
            }));
          }
        },
      },
    ],
  });
  return outfile;
}

function withoutCalls(code: string, calls: readonly string[]): string {
  return calls.reduce((text, call) => {
    if (!text.includes(call)) throw new Error(`The child has no ${call} any more`);
    return text.replace(call, '');
  }, code);
}

/** In the place of SES: what is evaluated runs in the start realm itself. */
const NO_COMPARTMENT = `
import { LANGUAGE_GLOBALS } from './guest-globals.ts';
const language = Object.fromEntries(LANGUAGE_GLOBALS.map((name) => [name, globalThis[name]]));
globalThis.repairIntrinsics = () => {};
globalThis.hardenIntrinsics = () => {};
globalThis.harden = (value) => value;
globalThis.Compartment = class {
  globalThis = { ...language };
  evaluate(source) { return (0, eval)(source); }
};
`;

let scripts = 0;
function script(code: string): string {
  scripts += 1;
  const path = join(folder, `script-${scripts}.cjs`);
  writeFileSync(path, code);
  return path;
}

const systemSpawn: Spawn = (command, args, options) => spawn(command, args, options);

/** No flags, no limits, and an environment worth stealing. */
function unprotected(program: string): Spawn {
  return () =>
    spawn(process.execPath, [program], { env: { CANARY }, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A child's exact command, for another program. */
function withFlags(program: string): Spawn {
  return (command, args, options) => {
    const own = args.at(-1) ?? '';
    const others = args.map((each) => each.replaceAll(own, program));
    return spawn(command, others, { ...options, env: { CANARY } });
  };
}

/** A child's command without Node's flags, so that namespace and limits are what is left of it. */
function withoutFlags(program: string): Spawn {
  return (command, args, options) => {
    const node = args.lastIndexOf(process.execPath);
    return spawn(command, [...args.slice(0, node + 1), program], options);
  };
}

const withoutRlimits: Spawn = (command, args, options) =>
  spawn(
    command,
    args.map((each) => each.replaceAll(/ulimit [^;]*;/g, '')),
    options,
  );

async function planOf(known: Partial<LaunchPlan>): Promise<LaunchPlan> {
  return {
    program: await findChildProgram(),
    memoryMb: 128,
    cpuSeconds: 5,
    hardened: false,
    inNamespace: false,
    unknownFlags: new Set(),
    ...known,
  };
}

async function runRaw(
  source: string,
  spawnAs: Spawn,
  plan: Partial<LaunchPlan> = {},
): Promise<GuestOutcome | undefined> {
  const [outcome] = await runAllRaw([source], spawnAs, plan);
  return outcome;
}

/** Evaluates sources in a child as they are, one after the other: without the gate, and so without layer 0. */
async function runAllRaw(
  sources: readonly string[],
  spawnAs: Spawn,
  plan: Partial<LaunchPlan> = {},
): Promise<GuestOutcome[]> {
  const child = new Child(launch(spawnAs, await planOf(plan)), 1_000_000);
  const outcomes: GuestOutcome[] = [];
  const all = new Promise<GuestOutcome[]>((resolve, reject) => {
    const runNext = (): void => {
      const run = outcomes.length + 1;
      const source = sources[run - 1];
      if (source === undefined) resolve(outcomes);
      else child.send({ type: 'run', run, source, input: null, seed: [1, 2, 3, 4], now: 0 });
    };
    child.listen({
      message: (message) => {
        if (message.type === 'done') outcomes.push(message.outcome);
        if (message.type === 'done' || message.type === 'ready') runNext();
      },
      ended: (end) => reject(new Error(JSON.stringify(end))),
    });
  });
  child.send({ type: 'setup', toolNames: [], modules: {}, limits: SandboxLimits.parse({}) });
  return all.finally(() => child.kill());
}

async function outputOf(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    said += String(bytes);
  });
  await endOf(child);
  return said;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? String(code)));
  });
}

/** Of the process itself, by Linux's count of a hundred ticks a second. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
