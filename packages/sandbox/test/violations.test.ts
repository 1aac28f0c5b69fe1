import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, ManualClock, ToolDeniedError } from '@buddy/core';
import { createSandbox, type Sandbox, type ViolationRecord } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const denied = defineTool({
  name: 'crm.delete',
  description: 'Is denied.',
  tier: 2,
  input: z.unknown(),
  output: z.unknown(),
  execute: () => {
    throw new ToolDeniedError('crm.delete', {
      outcome: 'deny',
      rule: 'no-deletes',
      reasonCode: 'POLICY_BLOCKED',
      explanation: 'Nothing is deleted here.',
    });
  },
});

describe('a violation', () => {
  const records: ViolationRecord[] = [];
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox(
      {
        isolation: 'session',
        tools: [denied],
        violationLog: { append: (record) => void records.push(record) },
      },
      { clock: new ManualClock(Date.UTC(2026, 0, 2)) },
    );
  });
  afterAll(() => sandbox.close());

  it.each([
    ['NETWORK_ACCESS_ATTEMPT', 'await fetch("https://example.com")'],
    ['NETWORK_ACCESS_ATTEMPT', 'new WebSocket("wss://example.com")'],
    ['NETWORK_ACCESS_ATTEMPT', 'const request = new XMLHttpRequest()'],
    ['NETWORK_ACCESS_ATTEMPT', 'require("node:net")'],
    ['NETWORK_ACCESS_ATTEMPT', 'import http from "http"'],
    ['NETWORK_ACCESS_ATTEMPT', 'globalThis.fetch.call(null, "x")'],
    ['NETWORK_ACCESS_ATTEMPT', 'await Deno.connect({ port: 1 })'],
    ['SUBPROCESS_ATTEMPT', 'require("child_process").exec("id")'],
    ['SUBPROCESS_ATTEMPT', 'process.mainModule.require("child_process")'],
    ['SUBPROCESS_ATTEMPT', 'process.binding("spawn_sync")'],
    ['SUBPROCESS_ATTEMPT', 'process.kill(1)'],
    ['SUBPROCESS_ATTEMPT', 'Bun.spawn(["id"])'],
    ['SUBPROCESS_ATTEMPT', 'new Worker("x.js")'],
    ['FILESYSTEM_ATTEMPT', 'process.getBuiltinModule("fs")'],
    ['FILESYSTEM_ATTEMPT', 'import { readFileSync } from "node:fs"'],
    ['FILESYSTEM_ATTEMPT', 'scratch.read("/etc/passwd")'],
    ['FILESYSTEM_ATTEMPT', 'scratch.write("/tmp/../etc/x", "")'],
    ['FILESYSTEM_ATTEMPT', 'localStorage.getItem("x")'],
    ['IMPORT_ALLOWLIST_VIOLATION', 'await import("lodash")'],
    ['IMPORT_ALLOWLIST_VIOLATION', 'require("lodash")'],
    ['BUILTIN_VIOLATION', 'process.env.HOME'],
    ['BUILTIN_VIOLATION', 'process.exit(1)'],
    ['BUILTIN_VIOLATION', 'new SharedArrayBuffer(8)'],
    ['BUILTIN_VIOLATION', 'WebAssembly.compile'],
    ['BUILTIN_VIOLATION', 'eval("1")'],
    ['BUILTIN_VIOLATION', '(0, eval)("1")'],
    ['BUILTIN_VIOLATION', 'const { eval: run } = globalThis; run("1")'],
    ['BUILTIN_VIOLATION', 'Function("return 1")()'],
    ['BUILTIN_VIOLATION', 'new Function("a", "return a")'],
    ['BUILTIN_VIOLATION', 'Reflect.construct(Function, ["return 1"])'],
    ['BUILTIN_VIOLATION', 'new (class extends Function {})("return 1")'],
    ['BUILTIN_VIOLATION', 'Function.bind(null, "return 1")()'],
    ['BUILTIN_VIOLATION', '(() => {}).constructor("return 1")'],
    ['BUILTIN_VIOLATION', '(async () => {}).constructor("return 1")'],
    ['BUILTIN_VIOLATION', '(function* () {}).constructor("yield 1")'],
    ['BUILTIN_VIOLATION', '(async function* () {}).constructor("yield 1")'],
    ['BUILTIN_VIOLATION', '[].map.constructor.constructor("return 1")'],
    ['BUILTIN_VIOLATION', 'console.log.constructor("return 1")'],
    ['BUILTIN_VIOLATION', 'new globalThis.Compartment().evaluate("1")'],
    ['BUILTIN_VIOLATION', 'setTimeout("1", 0)'],
    ['TOOL_DENIED', 'await tools.crm.delete({})'],
  ])('of type %s ends %s', async (type, code) => {
    records.length = 0;
    const result = await sandbox.run(`\n${code}`);
    expect(result).toMatchObject({
      status: 'violation',
      violation: { type, line: 2 },
      error: { kind: 'violation' },
    });
    expect(records).toMatchObject([
      {
        violation_type: type,
        execution_id: result.executionId,
        timestamp: '2026-01-02T00:00:00.000Z',
      },
    ]);
  });
  it('is logged when the program catches the error, too', async () => {
    records.length = 0;
    const result = await sandbox.run(
      'let n = 0; try { fetch("x") } catch { n++ } try { await tools.crm.delete({}) } catch { n++ } n',
    );
    expect(result).toMatchObject({ status: 'ok', value: 2 });
    expect(records.map((each) => each.violation_type)).toEqual([
      'NETWORK_ACCESS_ATTEMPT',
      'TOOL_DENIED',
    ]);
  });
  it('tells the line of a call that was denied, also when the program catches the error', async () => {
    records.length = 0;
    const result = await sandbox.run(
      '\n\ntry {\n  await tools.crm.delete({})\n} catch {}\nawait tools.crm.delete({}).catch(() => 1)',
    );
    expect(result).toMatchObject({
      status: 'ok',
      violations: [{ line: 4 }, { line: 6 }],
      calls: [{ line: 4 }, { line: 6 }],
    });
  });
  it('is every attempt to make code of text, also when the program catches the error', async () => {
    records.length = 0;
    const attempts = ['eval("1")', 'Function("1")', '(() => {}).constructor("1")'];
    const result = await sandbox.run(
      `${attempts.map((code) => `try { ${code} } catch (e) { console.log(e.name, e.message) }`).join('\n')}\n1`,
    );
    expect(result).toMatchObject({ status: 'ok', value: 1 });
    expect(result.violations.map(({ type, line }) => [type, line])).toEqual([
      ['BUILTIN_VIOLATION', 1],
      ['BUILTIN_VIOLATION', 2],
      ['BUILTIN_VIOLATION', 3],
    ]);
    expect(records).toHaveLength(3);
    expect(result.logs[0]?.text).toMatch(
      /^SandboxViolationError eval\(\) is not available\. No code/,
    );
  });
  it('tells the author what there is instead', async () => {
    const text = (await sandbox.run('fetch("x")')).toModelText();
    expect(text).toContain('NETWORK_ACCESS_ATTEMPT');
    expect(text).toContain('call one of the functions in `tools`');
  });
  it('is not suspected where there is only a question', async () => {
    expect(
      await sandbox.run(
        '[typeof fetch, typeof process, typeof require, "import(x)", typeof window, (() => {}).constructor.name, Math.max instanceof Function, typeof eval, "eval(x)"]',
      ),
    ).toMatchObject({
      status: 'ok',
      value: [
        'function',
        'function',
        'function',
        'import(x)',
        'undefined',
        'Function',
        true,
        'function',
        'eval(x)',
      ],
      violations: [],
    });
  });
  it('shows the first 200 characters of the code, without control characters and secrets', async () => {
    records.length = 0;
    await sandbox.run(
      `fetch("x")\n// \u001b[31m\u202e sk-ant-api03-${'a'.repeat(90)}AA\n${'// more\n'.repeat(100)}`,
    );
    const preview = records[0]?.code_preview ?? '';
    expect(preview.length).toBeLessThanOrEqual(200);
    expect(preview).toMatch(/^fetch\("x"\)\\n\/\/ \\u\{1b\}\[31m\\u\{202e\}/);
    expect(preview).not.toContain('aaaaaaaa');
  });
});

it('keeps violations in a file of JSON Lines, written when the run has ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'violations-'));
  const violationLog = join(folder, 'violations.jsonl');
  await using sandbox = await createSandbox({ violationLog, limits: { wallMs: 300 } });
  await sandbox.run('fetch("x")');
  await sandbox.run('for (;;) {}');
  const lines = (await readFile(violationLog, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { violation_type: 'NETWORK_ACCESS_ATTEMPT', code_preview: 'fetch("x")' },
    { violation_type: 'TIMEOUT', code_preview: 'for (;;) {}' },
  ]);
  expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual([
    'timestamp',
    'execution_id',
    'violation_type',
    'details',
    'code_preview',
  ]);
  await rm(folder, { recursive: true });
});

describe('a log that cannot be written', () => {
  const attempts = { append: () => Promise.reject(new Error('the disk is full')) };

  it('makes the run reject, with what it did', async () => {
    await using sandbox = await createSandbox({ violationLog: attempts, tools: [denied] });
    const code = 'try { fetch("x") } catch {} 1';
    await expect(sandbox.run(code)).rejects.toMatchObject({
      code: 'SANDBOX_VIOLATION_LOG_FAILED',
      message: expect.stringContaining('the disk is full'),
      effect: 'unknown',
      result: { status: 'ok', value: 1, violations: [{ type: 'NETWORK_ACCESS_ATTEMPT' }] },
    });
    await expect(sandbox.run('import "fs"')).rejects.toMatchObject({
      code: 'SANDBOX_VIOLATION_LOG_FAILED',
    });
    expect(await sandbox.run('1')).toMatchObject({ status: 'ok' });
  });
  it('may throw at once, and may be a file that is no file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'violations-'));
    const logs = [
      {
        append: () => {
          throw new Error('no log today');
        },
      },
      folder,
    ];
    for (const violationLog of logs) {
      await using sandbox = await createSandbox({ violationLog });
      await expect(sandbox.run('fetch("x")')).rejects.toMatchObject({
        code: 'SANDBOX_VIOLATION_LOG_FAILED',
        result: { status: 'violation' },
      });
    }
    await rm(folder, { recursive: true });
  });
  it('is tried again by the next run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'violations-'));
    const violationLog = join(folder, 'logs', 'violations.jsonl');
    await using sandbox = await createSandbox({ violationLog });
    await writeFile(join(folder, 'logs'), ''); // a file, where a folder would have to be
    await expect(sandbox.run('fetch("x")')).rejects.toMatchObject({
      code: 'SANDBOX_VIOLATION_LOG_FAILED',
    });
    await rm(join(folder, 'logs'));
    await mkdir(join(folder, 'logs'));
    expect(await sandbox.run('fetch("x")')).toMatchObject({ status: 'violation' });
    expect((await readFile(violationLog, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
    await rm(folder, { recursive: true });
  });
  it('is heard of when the run was aborted, too', async () => {
    await using sandbox = await createSandbox({ violationLog: attempts });
    const controller = new AbortController();
    sandbox.events.on('violated', () => controller.abort(new Error('enough')));
    await expect(
      sandbox.run('try { fetch("x") } catch {} for (;;) await 1', { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'SANDBOX_VIOLATION_LOG_FAILED', result: undefined });
  });
});

it('keeps records of what many runs tried at once whole, each by itself and no more than the limit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'violations-'));
  const violationLog = join(folder, 'violations.jsonl');
  await using sandbox = await createSandbox({ violationLog, limits: { maxViolations: 40 } });
  const code = `for (;;) try { fetch("x") } catch {} // ${'\u202e'.repeat(5_000)}`;
  const results = await Promise.all(Array.from({ length: 4 }, () => sandbox.run(code)));
  expect(results.map(({ status, violations }) => [status, violations.length])).toEqual(
    Array.from({ length: 4 }, () => ['violation', 40]),
  );
  const lines = (await readFile(violationLog, 'utf8')).trimEnd().split('\n');
  const byRun = Map.groupBy(lines, (line) => String(JSON.parse(line).execution_id));
  expect([...byRun.values()].map((each) => each.length)).toEqual([40, 40, 40, 40]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2_000);
  await rm(folder, { recursive: true });
});
