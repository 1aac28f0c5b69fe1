import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool } from '@buddy/core';
import {
  createSandbox,
  type RunResult,
  type Sandbox,
  type SandboxInput,
  type Spawn,
} from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Child } from '../src/host/child.ts';
import { TRAPPED_GLOBALS } from '../src/guest-globals.ts';
import { findChildProgram } from '../src/host/child-program.ts';
import { launch, type LaunchPlan } from '../src/host/launch.ts';
import { SandboxLimits } from '../src/options.ts';
import { checkHostSide } from '../src/report/check-host-side.ts';
import { startRealmProbeSource } from '../src/report/probe.ts';
import { runProbe } from '../src/report/run-probe.ts';
import type { GuestOutcome } from '../src/protocol/messages.ts';

const CANARY = 'canary-3f81';
let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'layers-')));
  writeFileSync(join(folder, 'canary.txt'), CANARY);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What finds the real globals of a realm, if anything does. */
const REALM_WALKS = [
  'Function("return this")().process',
  '(() => {}).constructor("return process")()',
  '(async () => {}).constructor("return process")()',
  '(function* () {}).constructor("return process")().next()',
  'new Error().constructor.constructor("return process")()',
  'Object.getPrototypeOf(Object.getPrototypeOf(tools)).constructor("return process")()',
  'globalThis.constructor.constructor("return process")()',
  'console.log.constructor("return process")()',
  'setTimeout.constructor("return process")()',
  'Date.now.constructor("return process")()',
  'scratch.write.constructor("return process")()',
  'tools.echo.constructor("return process")()',
  'this.process',
  '[].constructor.constructor("return process")()',
  'Reflect.construct(Function, ["return process"])()',
  'new Proxy({}, { get() { return process } }).x.env',
  'Error.prepareStackTrace = (_, frames) => frames[0].getThis(); new Error().stack.process',
  'import.source("fs")',
].map(
  (code) =>
    `try { const found = ${code}; String(found && found.env && found.env.CANARY) } catch (e) { "caught " + e.name }`,
);

/** What is reached by calling only: iterators and the like, whose prototypes are not on the way to anything. */
const INSTANCES = [
  '[][Symbol.iterator]()',
  'new Map().entries()',
  'new Set().entries()',
  '"x"[Symbol.iterator]()',
  '"x".matchAll(/x/g)',
  'Iterator.from({ next() {} })',
  '[].values().map((x) => x)',
  '(function* () {})()',
  '(async function* () {})()',
  'new Intl.Segmenter().segment("x")',
  'new Intl.Segmenter().segment("x")[Symbol.iterator]()',
  'new Intl.DateTimeFormat()',
  'new Intl.Locale("en")',
  'new URL("https://a.b/?c=d")',
  'new URL("https://a.b/?c=d").searchParams',
  'new URLSearchParams("a=b").entries()',
  'new TextEncoder().encode("x")',
  'new TextDecoder()',
  'new AbortController()',
  'AbortSignal.abort().reason',
  'crypto.getRandomValues(new Uint8Array(1))',
];

/** The child's program with no flag, no limit, and an environment worth stealing. */
const unprotected: Spawn = (_command, args) =>
  spawn(process.execPath, args.slice(-1), { env: { CANARY }, stdio: ['pipe', 'pipe', 'pipe'] });

describe('the compartment alone', () => {
  it('keeps a program from everything that is in the process', async () => {
    await using sandbox = await createSandbox(
      { isolation: 'session', tools: [echo] },
      { spawn: unprotected },
    );
    for (const code of REALM_WALKS) {
      expect({ code, said: JSON.stringify(await sandbox.run(code)) }).toEqual({
        code,
        said: expect.not.stringContaining(CANARY),
      });
    }
  });
  it('would be missed: the same walks find the canary where there is none', () => {
    const found = REALM_WALKS.filter((code) => {
      const script = `const tools = { echo() {} }, scratch = { write() {} }; const work = () => { ${code.replace('import.source("fs")', 'null')} }; console.log(eval(${JSON.stringify(code.replace('import.source("fs")', 'null'))}))`;
      return runPlain(script).includes(CANARY);
    });
    expect(found.length).toBeGreaterThan(8);
  });
  it('holds without the gate in front of it', async () => {
    for (const body of [
      'return import("fs")',
      'return import.source("fs")',
      'return eval("process")',
      'with (globalThis) return process.env',
    ]) {
      const { status } = await runRaw(`async () => { ${body} }`, unprotected);
      expect({ body, status }).toEqual({ body, status: 'thrown' });
    }
    expect(await runRaw('async () => 1 + 1', unprotected)).toEqual({ status: 'value', value: 2 });
  });
  it('does not let one run change the language for the next', async () => {
    await using sandbox = await createSandbox({ isolation: 'session' }, { spawn: unprotected });
    await sandbox.run(
      'try { Array.prototype.map = () => "pwned" } catch {} try { Object.prototype.x = 1 } catch {} try { Math.max = () => 1 } catch {} try { Date.prototype.getTime = () => 1 } catch {} try { JSON.stringify = () => "" } catch {} 1',
    );
    expect(
      await sandbox.run(
        '[[1].map((n) => n + 1)[0], ({}).x, Math.max(1, 2), new Date(5).getTime(), JSON.stringify([])]',
      ),
    ).toMatchObject({ value: [2, undefined, 2, 5, '[]'] });
  });
});

describe('a session', () => {
  it('leaves no object where one run can put something for the next', async () => {
    await using sandbox = await createSandbox({ isolation: 'session', tools: [echo] });
    const code = `
      typeof arguments;
      const seen = new Set(), open = [], trapped = new Set(TRAPPED);
      const roots = { arguments: [...arguments], globalThis, ITERATORS };
      const walk = (value, path) => {
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
        seen.add(value);
        let keys;
        try { keys = Reflect.ownKeys(value) } catch { return }
        const mark = Object.getOwnPropertyDescriptor(value, 'leftBehind');
        if (mark) open.push(path);
        try { Object.defineProperty(value, 'leftBehind', { value: 1, configurable: true }) } catch {}
        for (const key of keys.filter((each) => !trapped.has(each))) {
          const { value: member, get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
          for (const each of [member, get, set]) walk(each, path + '.' + String(key));
        }
        walk(Object.getPrototypeOf(value), path + '.__proto__');
      };
      walk(roots, '');
      [seen.size > 500, open]`
      .replace('ITERATORS', `instances: [${INSTANCES.join(', ')}]`)
      .replace('TRAPPED', JSON.stringify(TRAPPED_GLOBALS));
    for (const run of [1, 2]) {
      expect({ run, ...(await sandbox.run(code)) }).toMatchObject({
        status: 'ok',
        value: [true, []],
      });
    }
  });
});

describe('the process alone', () => {
  let server: Server;
  let connections = 0;
  let port: number;
  beforeAll(async () => {
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
  });

  const attempts = (): [string, string][] => [
    [
      'read',
      `require("node:fs").readFileSync(${JSON.stringify(join(folder, 'canary.txt'))}, "utf8")`,
    ],
    [
      'write',
      `require("node:fs").writeFileSync(${JSON.stringify(join(folder, 'written'))}, "x") ?? "done"`,
    ],
    ['run', 'String(require("node:child_process").execFileSync("/bin/echo", ["done"]))'],
    ['thread', 'new (require("node:worker_threads").Worker)("1", { eval: true }) && "done"'],
    [
      'database',
      `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(join(folder, 'db'))}) && "done"`,
    ],
    ['environment', 'Object.keys(process.env).length > 0 ? "done" : "nothing"'],
    ['inspector', 'require("node:inspector").open(0) ?? "done"'],
    [
      'connect',
      `new Promise((done, fail) => require("node:net").connect(${port}, "127.0.0.1", () => done("done")).on("error", fail))`,
    ],
  ];
  const script = (): string => `
    (async () => {
      const said = {};
      ${attempts()
        .map(
          ([name, code]) =>
            `try { said[${JSON.stringify(name)}] = await (${code}) } catch (e) { said[${JSON.stringify(name)}] = "refused" }`,
        )
        .join('\n')}
      console.log(JSON.stringify(said)); process.exit();
    })()`;

  it('refuses code that has `process` and `require`, with the very flags of a child', async () => {
    // Before Node 25 there is no permission for the network: only a namespace keeps a child off it, and here is none.
    const hasNet = Number(process.versions.node.split('.', 1)[0]) >= 25;
    const program = join(folder, 'breach.cjs');
    writeFileSync(program, script());
    const said = JSON.parse(await outputOf(launch(defaultSpawn, await planOf({ program }))));
    expect(said).toEqual(
      Object.fromEntries(
        attempts().map(([name]) => [
          name,
          name === 'environment' ? 'nothing' : name === 'connect' && !hasNet ? 'done' : 'refused',
        ]),
      ),
    );
    expect(connections).toBe(hasNet ? 0 : 1);
  });
  it('would be missed: the same attempts work without the flags', () => {
    const said = JSON.parse(runPlain(script()));
    expect(Object.values(said).filter((each) => each !== 'refused').length).toBeGreaterThan(5);
    expect(said.read).toBe(CANARY);
  });
});

describe('the limits alone', () => {
  it('end a child that the host does not look after', async () => {
    const program = join(folder, 'spin.cjs');
    writeFileSync(program, 'for (;;) {}');
    const child = launch(defaultSpawn, await planOf({ program, cpuSeconds: 1 }));
    const signal = await new Promise((resolve) => {
      child.on('exit', (code, by) => resolve(by ?? code));
    });
    expect(signal).not.toBe(0);
  });
});

describe('the host side alone', () => {
  let programs = 0;
  /** Code in the child's place, with its exact command but for the name of the file. It says it is ready, then does its worst. */
  function hostile(worst: string): Spawn {
    programs += 1;
    const program = join(folder, `hostile-${programs}.cjs`);
    writeFileSync(program, `${HOSTILE_HEAD}function worst() { ${worst} }`);
    return (command, args, options) => {
      const own = args.at(-1) ?? '';
      return spawn(
        command,
        args.map((each) => each.replaceAll(own, program)),
        options,
      );
    };
  }
  async function runHostile(worst: string, input: SandboxInput = {}): Promise<RunResult> {
    await using sandbox: Sandbox = await createSandbox(
      { tools: [echo], osIsolation: 'off', poolSize: 1, limits: { wallMs: 500 }, ...input },
      { spawn: hostile(worst) },
    );
    return await sandbox.run('1');
  }

  it.each([
    ['bytes that are no frame', 'fs.writeSync(1, Buffer.alloc(64, 0xff))'],
    ['a frame that is no JSON', 'raw("{not json")'],
    ["a frame of Node's own IPC", 'fs.writeSync(1, \'{"cmd":"NODE_HANDLE_ACK"}\\n\')'],
    ['a message that no child sends', 'send({ type: "exit", run })'],
    [
      'a field too many',
      'send({ type: "log", run, level: "log", text: "", __proto__: null, extra: 1 })',
    ],
    [
      'a tool it was not handed',
      'send({ type: "call", run, id: 1, tool: "constructor", input: null })',
    ],
    [
      'a tool called __proto__',
      'raw(\'{"type":"call","run":\' + run + \',"id":1,"tool":"__proto__","input":null}\')',
    ],
    [
      'an id used twice',
      'send({ type: "call", run, id: 1, tool: "echo", input: 1 }); send({ type: "call", run, id: 1, tool: "echo", input: 1 })',
    ],
    ['an id of the future', 'send({ type: "call", run, id: 7, tool: "echo", input: 1 })'],
    [
      'an input that is not data',
      'raw(\'{"type":"call","run":\' + run + \',"id":1,"tool":"echo","input":{"__proto__":{"polluted":1}}}\')',
    ],
    [
      'an input nested a million deep',
      'raw(\'{"type":"call","run":\' + run + \',"id":1,"tool":"echo","input":\' + "[".repeat(1e6) + "]".repeat(1e6) + "}")',
    ],
  ])('stops a child that sends %s', async (_what, worst) => {
    const result = await runHostile(worst);
    expect(result).toMatchObject({ status: 'violation', violation: { type: 'BUILTIN_VIOLATION' } });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
  it('believes no line of the code that a child tells of, beyond those there are', async () => {
    const worst =
      'send({ type: "violation", run, violation: { type: "TOOL_DENIED", details: "x", line: 7 } }); send({ type: "done", run, outcome: { status: "thrown", thrown: { name: "E", message: "m", line: 7, column: 1 }, violation: null }, isIdle: true })';
    expect(await runHostile(worst)).toMatchObject({
      status: 'error',
      error: { line: null, column: null, frame: '' },
      violations: [{ line: null }],
    });
  });
  it.each([
    [
      'floods the log',
      'for (;;) send({ type: "log", run, level: "log", text: "x".repeat(1000) })',
      'output',
    ],
    [
      'floods the timers',
      'for (let id = 1; ; id++) send({ type: "timer", run, id, ms: 1e6 })',
      'timers',
    ],
    [
      'floods the tools',
      'for (let id = 1; ; id++) send({ type: "call", run, id, tool: "echo", input: 1 })',
      'toolCalls',
    ],
    ['says nothing', 'setInterval(() => {}, 1000)', 'wall'],
  ])('ends a child that %s', async (_what, worst, kind) => {
    expect(await runHostile(worst)).toMatchObject({ status: 'limit', limit: { kind } });
  });
  it('takes nothing from a child after it said it was done', async () => {
    const calls: unknown[] = [];
    const count = defineTool({
      name: 'echo',
      description: 'Counts.',
      tier: 1,
      input: z.unknown(),
      output: z.unknown(),
      execute: (given) => {
        calls.push(given);
        return given;
      },
    });
    const done =
      'send({ type: "done", run, outcome: { status: "value", value: 1 }, isIdle: true }); send({ type: "call", run, id: 1, tool: "echo", input: 1 })';
    expect(await runHostile(done, { tools: [count] })).toMatchObject({
      status: 'ok',
      value: 1,
      calls: [],
    });
    expect(calls).toEqual([]);
  });
  it('reports a child that dies', async () => {
    expect(await runHostile('process.abort()')).toMatchObject({
      status: 'error',
      error: { kind: 'crash' },
    });
  });
  it('survives the signal that opens an inspector', async () => {
    await using sandbox = await createSandbox();
    expect(process.listenerCount('SIGUSR1')).toBeGreaterThan(0);
    expect(await sandbox.run('1')).toMatchObject({ status: 'ok' });
  });
});

/** A child that says nothing and ends. */
const silent: Spawn = () =>
  spawn(process.execPath, ['-e', '0'], { stdio: ['pipe', 'pipe', 'pipe'] });

describe('report and doctor', () => {
  it('say which layers there are on this host, and that they hold', async () => {
    await using sandbox = await createSandbox({ limits: { wallMs: 500, memoryMb: 64 } });
    const report = sandbox.report();
    expect(report.layers.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(report.missingFlags).toEqual([]);
    const { isHealthy, checks } = await sandbox.doctor();
    // Node 24 without namespaces has nothing to hold the network back with, and says so.
    const weak = report.network === 'capability-only' ? ['connect to the network'] : [];
    expect(checks.filter(({ isHeld }) => !isHeld).map(({ name }) => name)).toEqual(weak);
    expect(isHealthy).toBe(report.network !== 'capability-only');
    expect(new Set(checks.map(({ layer }) => layer))).toEqual(
      new Set([
        'source gate',
        'compartment',
        'limits',
        'empty start realm',
        'process',
        ...(report.layers.some(({ number, isActive }) => number === 5 && isActive)
          ? ['namespace']
          : []),
        'host side',
      ]),
    );
    expect(checks.length).toBeGreaterThan(18);
  });
  it('uses none of the limits, the log and the events of the sandbox it is asked of', async () => {
    const heard: string[] = [];
    await using sandbox = await createSandbox({
      limits: { wallMs: 86_400_000, cpuMs: 86_400_000, memoryMb: 16_384 },
      violationLog: { append: ({ violation_type }) => void heard.push(violation_type) },
    });
    sandbox.events.on('runEnded', ({ status }) => heard.push(status));
    sandbox.events.on('violated', ({ violation }) => heard.push(violation.type));
    const { checks } = await sandbox.doctor();
    expect(checks.filter(({ layer }) => layer === 'limits').every(({ isHeld }) => isHeld)).toBe(
      true,
    );
    expect(heard).toEqual([]);
  });
  it('ends with the sandbox, and does not begin in one that is closed', async () => {
    const sandbox = await createSandbox({});
    const [diagnosing] = await Promise.allSettled([sandbox.doctor(), sandbox.close()]);
    expect(diagnosing).toMatchObject({ status: 'rejected', reason: { code: 'SANDBOX_CLOSED' } });
    await expect(sandbox.doctor()).rejects.toMatchObject({ code: 'SANDBOX_CLOSED' });
  });
  it('tells of a process that nothing holds: no check of flags and rlimits holds in a plain Node', async () => {
    await using sandbox = await createSandbox({ osIsolation: 'off' }, { spawn: unprotected });
    const { isHealthy, checks } = await sandbox.doctor();
    const ofTheProcess = checks.filter(
      ({ layer, name }) => layer === 'process' || name === 'run without rlimits',
    );
    expect(isHealthy).toBe(false);
    expect(ofTheProcess.length).toBeGreaterThanOrEqual(10);
    expect(ofTheProcess.filter(({ isHeld }) => isHeld)).toEqual([]);
  });
  it('tells of a start realm that is not emptied, a child that is let be, and a program that does not start', async () => {
    const place = { folder, plan: await planOf({}), spawn: unprotected };
    const full = await runProbe(startRealmProbeSource(''), 'empty start realm', place);
    expect(full.map(({ isHeld }) => isHeld)).toEqual([false, false]);
    expect(await checkHostSide({ ...place, spawn: silent })).toMatchObject({ isHeld: false });
    expect(await runProbe('', 'process', { ...place, spawn: silent })).toMatchObject([
      { name: 'answer', isHeld: false },
    ]);
  });
});

const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: (each) => each,
});

const HOSTILE_HEAD = `
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
function raw(text) {
  const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(text)]);
  frame.writeUInt32BE(frame.length - 4, 0);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(1, frame, at);
}
`;

const defaultSpawn: Spawn = (command, args, options) => spawn(command, args, options);

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

async function outputOf(child: ReturnType<typeof launch>): Promise<string> {
  let text = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  return text;
}

/** What a script prints that nothing holds back. */
function runPlain(script: string): string {
  try {
    return execFileSync(process.execPath, ['-e', script], {
      env: { CANARY },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

/** Evaluates a source in a child as it is, without the gate. */
async function runRaw(source: string, spawnAs: Spawn): Promise<GuestOutcome> {
  const child = new Child(launch(spawnAs, await planOf({})), 1_000_000);
  const outcome = new Promise<GuestOutcome>((resolve, reject) => {
    child.listen({
      message: (message) => {
        if (message.type === 'ready')
          child.send({ type: 'run', run: 1, source, input: null, seed: [1, 2, 3, 4], now: 0 });
        if (message.type === 'done') resolve(message.outcome);
      },
      ended: (end) => reject(new Error(JSON.stringify(end))),
    });
  });
  child.send({ type: 'setup', toolNames: [], modules: {}, limits: SandboxLimits.parse({}) });
  return outcome.finally(() => child.kill());
}
