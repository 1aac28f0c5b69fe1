import { defineTool, ManualClock, markGoverned, seededRandom } from '@buddy/core';
import { createSandbox, type RunResult, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const add = defineTool({
  name: 'maths.add',
  description: 'Adds two numbers.',
  tier: 1,
  effect: 'pure',
  input: z.strictObject({ a: z.number(), b: z.number() }),
  output: z.number(),
  execute: ({ a, b }) => a + b,
});

const fail = defineTool({
  name: 'fail',
  description: 'Fails.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: () => {
    throw Object.assign(new Error('the disk is full', { cause: 'secret-cause' }), {
      secret: 'secret-field',
    });
  },
});

describe.each(['process', 'session'] as const)('a sandbox of isolation %s', (isolation) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox({ isolation, tools: [add, fail], poolSize: 1 });
  });
  afterAll(() => sandbox.close());

  it.each<[string, string, unknown]>([
    ['an expression', '1 + 1', 2],
    ['statements with await', 'const five = await tools.maths.add({ a: 2, b: 3 }); five * 2', 10],
    ['a tool by its full name', 'await tools["maths.add"]({ a: 2, b: 3 })', 5],
    ['an arrow function', 'async (input) => input.length', 3],
    ['TypeScript', 'const n: number = 1 as number; n', 1],
    ['an import', 'import { sqrt } from "math"; sqrt(16)', 4],
    ['fenced code', '```js\nreturn 7\n```', 7],
    ['input', 'input[1]', 'b'],
    [
      'values with a kind',
      '({ a: new Map([[1, new Set([2n])]]), b: new Date(0), c: undefined })',
      { a: new Map([[1, new Set([2n])]]), b: new Date(0), c: undefined },
    ],
    [
      'files of its own',
      'scratch.write("a.txt", "hi"); scratch.list().concat(scratch.read("/tmp/a.txt"))',
      ['a.txt', 'hi'],
    ],
    [
      'timers',
      'const began = Date.now(); await new Promise((r) => setTimeout(r, 5)); Date.now() - began >= 5',
      true,
    ],
    ['floating point arrays', 'Array.from(new Float64Array([0.5]))', [0.5]],
    ['base64', 'atob(btoa("hé"))', 'hé'],
    ['structuredClone', 'const a = { b: new Date(3) }; structuredClone(a).b.getTime()', 3],
    ['an error in a value', 'String(new TypeError("x"))', 'TypeError: x'],
    ['the language as models write it', 'const o = {}; o.toString = () => "mine"; `${o}`', 'mine'],
  ])('runs %s', async (_what, code, value) => {
    expect(await sandbox.run(code, { input: ['a', 'b', 'c'] })).toMatchObject({
      status: 'ok',
      value,
    });
  });
  it('forgets one run in the next', async () => {
    await sandbox.run('globalThis.left = 1; scratch.write("left", "x"); 1');
    expect(await sandbox.run('[typeof globalThis.left, scratch.list()]')).toMatchObject({
      value: ['undefined', []],
    });
  });
  it('draws the same numbers for the same seed, and reads the time it is given', async () => {
    const code =
      '[Math.random(), Math.random(), Date.now(), new Date().toISOString(), Math.max(1, 2)]';
    const first = await sandbox.run(code, { seed: 7, now: 1_000 });
    expect(await sandbox.run(code, { seed: 7, now: 1_000 })).toMatchObject({
      value: Reflect.get(first, 'value'),
    });
    expect(first).toMatchObject({
      value: [expect.any(Number), expect.any(Number), 1_000, '1970-01-01T00:00:01.000Z', 2],
    });
    expect(Reflect.get(await sandbox.run(code, { seed: 8, now: 1_000 }), 'value')).not.toEqual(
      Reflect.get(first, 'value'),
    );
  });
  it('says where a program failed, and shows the line', async () => {
    const result = await sandbox.run('const a = 1;\nconst b = null;\nb.name;');
    expect(result).toMatchObject({
      status: 'error',
      error: {
        kind: 'runtime',
        name: 'TypeError',
        line: 3,
        column: 3,
        message: expect.stringContaining('null'),
      },
    });
    expect(result.toModelText()).toContain('> 3 | b.name;');
  });
  it('tells a misspelt name from a failure', async () => {
    expect(await sandbox.run('const total = 1;\ntotl')).toMatchObject({
      status: 'error',
      error: { kind: 'reference', line: 2 },
    });
  });
  it('ends at once when nothing can happen any more', async () => {
    expect(await sandbox.run('await new Promise(() => {})')).toMatchObject({
      status: 'error',
      error: { name: 'StalledError' },
    });
  });
  it('hands a tool failure to the program without what hangs on the error', async () => {
    const caught = await sandbox.run(
      'try { await tools.fail() } catch (e) { [e.name, e.message, JSON.stringify(Object.getOwnPropertyDescriptors(e))] }',
    );
    expect(caught).toMatchObject({
      status: 'ok',
      value: ['Error', 'the disk is full', expect.any(String)],
    });
    expect(JSON.stringify(caught)).not.toContain('secret');
    expect(await sandbox.run('await tools.fail()')).toMatchObject({
      status: 'error',
      error: { message: 'the disk is full', line: 1 },
    });
  });
  it('tells of a tool input that does not fit', async () => {
    expect(await sandbox.run('await tools.maths.add({ a: "1" })')).toMatchObject({
      status: 'error',
      error: { name: 'ToolInputError', message: expect.stringContaining('maths.add') },
      calls: [{ tool: 'maths.add', status: 'error' }],
    });
  });
  it('names the tools there are when one is not', async () => {
    expect(await sandbox.run('await tools.maths.sum()')).toMatchObject({
      error: { message: 'tools.maths has no sum; it has add' },
    });
  });
  it('collects the log, and keeps it short', async () => {
    const { logs } = await sandbox.run(
      'console.log("a", { b: [1] }); console.error(new Error("c")); for (let i = 0; i < 2000; i++) console.log(i)',
    );
    expect(logs.slice(0, 2)).toEqual([
      { level: 'log', text: 'a {b: [1]}' },
      { level: 'error', text: 'Error: c' },
    ]);
    expect(logs).toHaveLength(1_001);
    expect(logs.at(-1)?.text).toContain('left out');
  });
  it('checks the value against `output`', async () => {
    const good = await sandbox.run('({ n: 1 })', { output: z.object({ n: z.number() }) });
    expectTypeOf(good).toEqualTypeOf<RunResult<{ n: number }>>();
    expect(good).toMatchObject({ status: 'ok', value: { n: 1 } });
    expect(
      await sandbox.run('({ n: "1" })', { output: z.object({ n: z.number() }) }),
    ).toMatchObject({ status: 'error', error: { kind: 'result' } });
  });
  it('refuses a value that is not data', async () => {
    expect(await sandbox.run('({ f() {} })')).toMatchObject({
      status: 'error',
      error: { kind: 'result', message: expect.stringContaining('value.f') },
    });
  });
  it('rejects when its signal aborts, and aborts the tools that are under way', async () => {
    const controller = new AbortController();
    const running = sandbox.run('for (;;) await tools.maths.add({ a: 1, b: 1 })', {
      signal: controller.signal,
    });
    sandbox.events.once('toolCallStarted', () => controller.abort(new Error('enough')));
    await expect(running).rejects.toThrow('enough');
    expect(await sandbox.run('1')).toMatchObject({ status: 'ok' });
  });
  it('tells of what happens while it happens', async () => {
    const told: string[] = [];
    sandbox.events.on('console', ({ text }) => told.push(text));
    sandbox.events.on('toolCallEnded', ({ call }) => told.push(`${call.tool} ${call.status}`));
    sandbox.events.on('violated', ({ violation }) => told.push(violation.type));
    sandbox.events.on('runEnded', ({ status }) => told.push(status));
    await sandbox.run(
      'console.log("hi"); await tools.maths.add({ a: 1, b: 1 }); try { fetch("x") } catch {} 1',
    );
    sandbox.events.removeAllListeners();
    expect(told).toEqual(['hi', 'maths.add ok', 'NETWORK_ACCESS_ATTEMPT', 'ok']);
  });
  it('runs many programs at once', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, (_, n) => sandbox.run(`${n} * 2`)));
    expect(results.map((each) => Reflect.get(each, 'value'))).toEqual([0, 2, 4, 6, 8, 10]);
  });
});

describe('createSandbox', () => {
  const mail = defineTool({
    name: 'mail.send',
    description: 'Sends.',
    tier: 3,
    input: z.object({}),
    output: z.object({}),
    execute: () => ({}),
  });

  it('hands out a tool of tier 3 only behind a gate, or when it is told to', async () => {
    await expect(createSandbox({ tools: [mail] })).rejects.toMatchObject({
      code: 'SANDBOX_TOOL_REFUSED',
      tools: ['mail.send'],
    });
    await (await createSandbox({ tools: [markGoverned(mail)] })).close();
    await (await createSandbox({ tools: [mail], allowUngoverned: true })).close();
  });
  it('never hands out a tool of tier 4', async () => {
    const never = markGoverned({ ...mail, tier: 4 as const });
    await expect(createSandbox({ tools: [never], allowUngoverned: true })).rejects.toMatchObject({
      code: 'SANDBOX_TOOL_REFUSED',
    });
  });
  it('says which option is misspelt', async () => {
    // @ts-expect-error: a misspelt option
    await expect(createSandbox({ limts: {} })).rejects.toThrow('limts');
  });
  it('takes modules of the user, which import the library', async () => {
    await using sandbox = await createSandbox({
      modules: [
        'math',
        {
          'acme/tax': 'import { ceil } from "math"; export const vat = (net) => ceil(net * 0.19);',
        },
      ],
    });
    expect(await sandbox.run('import { vat } from "acme/tax"; vat(100)')).toMatchObject({
      status: 'ok',
      value: 19,
    });
    expect(await sandbox.run('import { loads } from "json"; 1')).toMatchObject({
      status: 'violation',
      violation: { type: 'IMPORT_ALLOWLIST_VIOLATION' },
    });
  });
  it('refuses a module it does not have', async () => {
    await expect(createSandbox({ modules: ['fs'] })).rejects.toMatchObject({
      code: 'SANDBOX_MODULE_INVALID',
    });
  });
  it('gives tools a key that is the same whenever the same work is tried again', async () => {
    const keys: string[] = [];
    const key = defineTool({
      name: 'key',
      description: 'Keeps its key.',
      tier: 1,
      input: z.object({}),
      output: z.null(),
      execute: (_input, context) => {
        keys.push(`${context.idempotencyKey} ${context.actor.id}`);
        return null;
      },
    });
    await using sandbox = await createSandbox(
      { tools: [key] },
      { clock: new ManualClock(), random: seededRandom(1) },
    );
    const options = { idempotencyKey: 'task-1', actor: { kind: 'agent', id: 'ada' } } as const;
    await sandbox.run('await tools.key(); await tools.key()', options);
    await sandbox.run('await tools.key()', options);
    expect(keys).toEqual(['task-1:1 ada', 'task-1:2 ada', 'task-1:1 ada']);
  });
  it('runs nothing after it was closed', async () => {
    const sandbox = await createSandbox();
    await sandbox.close();
    await expect(sandbox.run('1')).rejects.toMatchObject({ code: 'SANDBOX_CLOSED' });
  });
  it('describes what code finds', async () => {
    await using sandbox = await createSandbox({ tools: [add], modules: ['math'] });
    const text = sandbox.declarations();
    expect(text).toContain('/** Adds two numbers. */');
    expect(text).toContain('add: (input: {');
    expect(text).toContain('=> Promise<number>;');
    expect(text).toContain("declare module 'math'");
  });
});
