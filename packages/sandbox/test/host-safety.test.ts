import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BombReport } from './host/bombs.ts';

const MEMORY_MB = 96;
/** What host and child may hold together beyond the limit of the run. */
const ALLOWANCE_MB = 256;

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'bombs-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function explode(bomb: { code: string; hostile?: string }): BombReport {
  const script = fileURLToPath(new URL('host/bombs.ts', import.meta.url));
  return JSON.parse(
    execFileSync(process.execPath, ['--conditions=@buddy/source', script], {
      input: JSON.stringify({ ...bomb, memoryMb: MEMORY_MB, folder }),
      encoding: 'utf8',
      timeout: 60_000,
    }),
  );
}

describe('the host of a bomb', () => {
  it.each([
    ['a result too large', '"x".repeat(5e7)', 'result'],
    ['the largest result', '"\\u0001".repeat(1e6)', ''],
    ['a result of many values', 'Array.from({ length: 1e5 }, () => [])', ''],
    [
      'a result nested too deep',
      'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a',
      'ResultError',
    ],
    ['many large logs', 'for (let i = 0; i < 1e5; i++) console.log("x".repeat(1e4)); 1', ''],
    ['an error as large as can be', 'throw new Error("x".repeat(5e7))', 'Error'],
    [
      'many calls with 1 MB each, in turn',
      'for (;;) await tools.echo("x".repeat(1e6))',
      'callBytes',
    ],
    [
      'many calls with 1 MB each, at once',
      'await Promise.all(Array.from({ length: 500 }, () => tools.echo("x".repeat(1e6))))',
      'callBytes',
    ],
    [
      'many calls with many values',
      'for (;;) await tools.echo(Array.from({ length: 5e4 }, () => ({})))',
      'callBytes',
    ],
    ['calls that nobody awaits', 'for (;;) tools.echo("x".repeat(1e5))', 'callBytes'],
    [
      'timers without end',
      'for (let i = 0; i < 1e6; i++) try { setTimeout(() => {}, 1e6) } catch {} 1',
      '',
    ],
    ['a heap that grows', 'const all = []; for (;;) all.push(new Array(1e5).fill(1.5))', 'memory'],
  ])(
    'stays within bounds: %s',
    (_what, code, reason) => {
      const report = explode({ code });
      expect(report).toMatchObject({ isAlive: true, reason });
      expect(report.hostGrowthMb + report.childPeakMb).toBeLessThan(MEMORY_MB + ALLOWANCE_MB);
    },
    60_000,
  );

  it.each([
    [
      'frames as long as may be',
      'const frame = framed(JSON.stringify({ type: "log", run, level: "log", text: "x".repeat(6e6) })); for (;;) write(frame)',
    ],
    [
      'a frame that never ends',
      'write(Buffer.from([0, 0x5f, 0, 0])); for (;;) write(Buffer.alloc(1000))',
    ],
    [
      'a frame that comes byte by byte',
      'write(Buffer.from([0, 0x5f, 0, 0])); const one = Buffer.from("x"); for (;;) write(one)',
    ],
    [
      'a frame of more values than bytes of memory are worth',
      'write(framed(`{"type":"call","run":${run},"id":1,"tool":"echo","input":[${"[],".repeat(2e6)}[]],"line":1}`)); for (;;) {}',
    ],
    [
      'a frame of keys',
      'write(framed(`{"type":"call","run":${run},"id":1,"tool":"echo","input":{${Array.from({ length: 4e5 }, (_, i) => `"k${i}":1`)}},"line":1}`)); for (;;) {}',
    ],
    [
      'beginnings without end',
      'const frame = framed(JSON.stringify({ type: "started", run })); for (;;) write(frame)',
    ],
    [
      'words of runs that are over',
      'const frame = framed(JSON.stringify({ type: "log", run: run + 7, level: "log", text: "x".repeat(1e5) })); for (;;) write(frame)',
    ],
  ])(
    'stays within bounds when code in the place of its child sends %s',
    (_what, worst) => {
      const report = explode({ code: '1', hostile: HOSTILE.replace('WORST', () => worst) });
      expect(report).toMatchObject({
        isAlive: true,
        status: expect.stringMatching(/^(?:limit|violation)$/),
      });
      expect(report.hostGrowthMb).toBeLessThan(ALLOWANCE_MB);
    },
    60_000,
  );
});

describe('the gate', () => {
  // Each would keep the host for many seconds, more than a test may take, if its time grew with the square of the code.
  it.each([
    [
      'names that look like its own',
      `"${Array.from({ length: 10_000 }, (_, i) => `$${i}`).join('')}"; 1`,
    ],
    [
      'a misspelt name among thousands',
      `let ${Array.from({ length: 9_000 }, (_, i) => `v${i}`).join(',')}; zzzz`,
    ],
    [
      'a misspelt name of thousands of letters',
      `let ${'a'.repeat(30_000)}b; ${'a'.repeat(30_000)}`,
    ],
  ])('is through in good time with %s', async (_what, code) => {
    await using sandbox = await createSandbox({ poolSize: 1 });
    expect(['ok', 'error']).toContain((await sandbox.run(code)).status);
  });
});

const HOSTILE = `
const fs = require('node:fs');
let run = 0;
process.stdin.on('end', () => process.exit());
process.stdin.on('data', (bytes) => {
  const text = bytes.toString('latin1');
  if (text.includes('"setup"')) write(framed(JSON.stringify({ type: 'ready' })));
  const [, number] = /"type":"run","run":(\\d+)/.exec(text) ?? [];
  if (!number || run) return;
  run = Number(number);
  write(framed(JSON.stringify({ type: 'started', run })));
  WORST
});
function framed(text) {
  const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(text)]);
  frame.writeUInt32BE(frame.length - 4, 0);
  return frame;
}
function write(bytes) {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
}
`;
