import { defineTool } from '@buddy/core';
import { createSandbox, type Sandbox, type SandboxInput } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const WALL_MS = 700;
const MEMORY_MB = 96;
/** Far above what is promised, for machines that do more than these tests. */
const LOOP_BLOCK_MS = 400;

/** How long the event loop was away, at most, while the work went on. */
async function longestBlockDuring<T>(
  work: () => Promise<T>,
): Promise<{ value: T; blockedMs: number }> {
  let last = performance.now();
  let blockedMs = 0;
  const timer = setInterval(() => {
    blockedMs = Math.max(blockedMs, performance.now() - last);
    last = performance.now();
  }, 5);
  try {
    return { value: await work(), blockedMs };
  } finally {
    clearInterval(timer);
  }
}

describe.each(['process', 'session'] as const)(
  'a program in a sandbox of isolation %s',
  (isolation) => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await createSandbox({
        isolation,
        limits: { wallMs: WALL_MS, memoryMb: MEMORY_MB },
      });
    });
    afterAll(() => sandbox.close());

    it.each([
      ['a loop', 'while (true) {}'],
      ['a loop of microtasks', 'for (;;) await null'],
      [
        'a regular expression that backtracks without end',
        '/^(\\w+\\s?)*\\1$/.test("a ".repeat(40) + "!"); for (;;) {}',
      ],
      ['a heap that grows', 'const all = []; for (;;) all.push(new Array(1e5).fill(1.5))'],
      ['array buffers', 'const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1))'],
      [
        'strings',
        'const all = []; for (let i = 0; ; i++) all.push(("x".repeat(1e6) + i).replace("x", "y"))',
      ],
      ['a map', 'const all = new Map(); for (let i = 0; ; i++) all.set(i, { i })'],
    ])('is stopped: %s', async (_what, code) => {
      const { value: result, blockedMs } = await longestBlockDuring(() => sandbox.run(code));
      expect(result).toMatchObject({
        status: 'limit',
        limit: { kind: expect.stringMatching(/^(?:wall|cpu|memory)$/) },
      });
      expect(['TIMEOUT', 'MEMORY_LIMIT']).toContain(result.violations.at(-1)?.type);
      expect(blockedMs).toBeLessThan(LOOP_BLOCK_MS);
      expect(result.usage.peakMb).toBeLessThan(MEMORY_MB + 256);
      expect(await sandbox.run('1 + 1')).toMatchObject({ status: 'ok', value: 2 });
    });
    it.each([
      [
        'an array buffer too many',
        'const all = []; for (let i = 0; i < 400; i++) all.push(new ArrayBuffer(1e9))',
      ],
      ['a string too long', 'new Array(1e9) + ""'],
      ['too deep a call', 'const deep = () => deep(); deep()'],
    ])('hears of %s', async (_what, code) => {
      expect(await sandbox.run(code)).toMatchObject({
        status: 'error',
        error: { name: 'RangeError' },
      });
    });
    it('may leave work behind, which reaches nobody', async () => {
      expect(await sandbox.run('setInterval(() => console.log("late"), 1); 1')).toMatchObject({
        status: 'ok',
        logs: [],
      });
      expect(await sandbox.run('await new Promise((r) => setTimeout(r, 20)); 2')).toMatchObject({
        status: 'ok',
        value: 2,
        logs: [],
      });
    });
    it('may leave a loop of microtasks behind, and the next program still runs', async () => {
      const code = 'const spin = async () => { for (;;) await null }; spin(); 1';
      expect(['ok', 'limit']).toContain((await sandbox.run(code)).status);
      expect(await sandbox.run('2')).toMatchObject({ status: 'ok', value: 2 });
    });
  },
);

async function withLimits<T>(
  limits: SandboxInput['limits'],
  use: (sandbox: Sandbox, calls: string[]) => Promise<T>,
): Promise<T> {
  const calls: string[] = [];
  const wait = defineTool({
    name: 'wait',
    description: 'Waits until nobody waits for it.',
    tier: 1,
    input: z.unknown(),
    output: z.unknown(),
    execute: (_input, { signal }) =>
      new Promise((_resolve, reject) => {
        calls.push('asked');
        signal.addEventListener('abort', () => {
          calls.push('aborted');
          reject(signal.reason);
        });
      }),
  });
  const echo = defineTool({
    name: 'echo',
    description: 'Says it again.',
    tier: 1,
    input: z.unknown(),
    output: z.unknown(),
    execute: (given) => {
      calls.push('echo');
      return given;
    },
  });
  await using sandbox = await createSandbox({ tools: [wait, echo], limits, poolSize: 1 });
  return await use(sandbox, calls);
}

describe('the limits of a run', () => {
  it('count tool calls', () =>
    withLimits({ maxToolCalls: 3 }, async (sandbox, calls) => {
      expect(await sandbox.run('for (;;) await tools.echo(1)')).toMatchObject({
        status: 'limit',
        limit: { kind: 'toolCalls', allowed: 3 },
      });
      expect(calls).toEqual(['echo', 'echo', 'echo']);
    }));
  it('bound the calls that are under way, and abort them when the run ends', () =>
    withLimits({ maxToolCallsInFlight: 2, wallMs: 300 }, async (sandbox, calls) => {
      const result = await sandbox.run(
        'await Promise.all(Array.from({ length: 50 }, () => tools.wait()))',
      );
      expect(result).toMatchObject({ status: 'limit', limit: { kind: 'wall' } });
      expect(calls).toEqual(['asked', 'asked', 'aborted', 'aborted']);
    }));
  it('let all calls through in turn when more are made than may be under way', () =>
    withLimits({ maxToolCallsInFlight: 2 }, async (sandbox) => {
      expect(
        await sandbox.run(
          '(await Promise.all(Array.from({ length: 500 }, (_, i) => tools.echo(i)))).length',
        ),
      ).toMatchObject({ status: 'ok', value: 500 });
    }));
  it('bound the result', () =>
    withLimits({ maxResultBytes: 1_000 }, async (sandbox) => {
      expect(await sandbox.run('"x".repeat(2000)')).toMatchObject({
        status: 'limit',
        limit: { kind: 'result', allowed: 1_000 },
      });
    }));
  it('bound the input of a tool', () =>
    withLimits({ maxArgumentBytes: 1_000 }, async (sandbox, calls) => {
      expect(await sandbox.run('await tools.echo("x".repeat(2000))')).toMatchObject({
        status: 'error',
        error: { message: expect.stringContaining('larger than') },
      });
      expect(calls).toEqual([]);
    }));
  it('bound the source', () =>
    withLimits({ maxSourceBytes: 100 }, async (sandbox) => {
      expect(await sandbox.run('1 '.repeat(100))).toMatchObject({
        status: 'error',
        error: { kind: 'unsupported' },
      });
    }));
  it('bound scratch and timers, in words a program can catch', () =>
    withLimits({ maxScratchBytes: 100, maxTimers: 2 }, async (sandbox) => {
      const code =
        'const said = []; try { scratch.write("a", "x".repeat(51)) } catch (e) { said.push(e.name) } try { for (;;) setTimeout(() => {}, 50) } catch (e) { said.push(e.name) } said';
      expect(await sandbox.run(code)).toMatchObject({
        status: 'ok',
        value: ['RangeError', 'RangeError'],
      });
    }));
  it('count processor time, not the time spent waiting for a tool', () =>
    withLimits({ cpuMs: 200, wallMs: 20_000 }, async (sandbox) => {
      expect(await sandbox.run('for (;;) {}')).toMatchObject({
        status: 'limit',
        limit: { kind: 'cpu', allowed: 200 },
      });
      expect(await sandbox.run('await new Promise((r) => setTimeout(r, 400)); 1')).toMatchObject({
        status: 'ok',
      });
    }));
  it('end a program that keeps trying what it may not', () =>
    withLimits({ maxViolations: 5 }, async (sandbox) => {
      const result = await sandbox.run('for (;;) try { fetch("x") } catch {}');
      expect(result).toMatchObject({
        status: 'violation',
        violation: { type: 'NETWORK_ACCESS_ATTEMPT' },
      });
      expect(result.violations).toHaveLength(5);
    }));
  it('charge nobody for what the run before left behind in a kept child', async () => {
    await using sandbox = await createSandbox({
      isolation: 'session',
      poolSize: 1,
      limits: { cpuMs: 100, wallMs: 20_000 },
    });
    for (let round = 0; round < 3; round += 1) {
      // The value is out before the loop begins, which then keeps the process from hearing of the next program.
      const leaving = 'setTimeout(() => { const next = () => queueMicrotask(next); next() }, 1); 1';
      expect(await sandbox.run(leaving)).toMatchObject({ status: 'ok' });
      expect(
        await sandbox.run('const loop = () => Promise.resolve().then(loop); loop(); 2'),
      ).toMatchObject({ status: expect.stringMatching(/ok|limit/) });
      expect(await sandbox.run('3')).toMatchObject({ status: 'ok', value: 3 });
    }
  });
});
