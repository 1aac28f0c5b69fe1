import { ApprovalRequiredError, defineTool, type Tool, ToolDeniedError } from '@buddy/core';
import { createSandbox, type Sandbox } from '@buddy/sandbox';
import { createFakeSandbox, type FakeProgram } from '@buddy/sandbox/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

let asked: string[] = [];
let agreed = false;

const read = defineTool({
  name: 'read',
  description: 'Reads.',
  tier: 1,
  input: z.number(),
  output: z.number(),
  execute: (n) => {
    asked.push(`read ${n}`);
    return n;
  },
});
const pay = defineTool({
  name: 'pay',
  description: 'Pays, once a person agreed.',
  tier: 2,
  input: z.number(),
  output: z.string(),
  execute: (sum, { idempotencyKey }) => {
    asked.push(`pay ${sum} ${idempotencyKey}`);
    if (!agreed) throw new ApprovalRequiredError('pay', 'approval-1');
    return 'paid';
  },
});
const denied = defineTool({
  name: 'denied',
  description: 'Is denied.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: () => {
    throw new ToolDeniedError('denied', {
      outcome: 'deny',
      rule: 'never',
      reasonCode: 'POLICY_BLOCKED',
      explanation: 'Never.',
    });
  },
});
const TOOLS = [read, pay, denied];

const PAYS = 'const n = await tools.read(7); [n, await tools.pay(n)]';
const CATCHES = 'try { await tools.denied() } catch (e) { e.name }';
const MISUSES = 'await tools.read("seven")';
const WAITS = 'await new Promise((done) => setTimeout(done, 4_000)); 1';
const PROGRAMS: Record<string, FakeProgram> = {
  '6 * 7': () => 42,
  [PAYS]: async ({ callTool }) => {
    const n = await callTool('read', 7);
    return [n, await callTool('pay', n)];
  },
  'await tools.denied()': ({ callTool }) => callTool('denied', undefined),
  [CATCHES]: async ({ callTool }) => {
    try {
      return await callTool('denied', undefined);
    } catch (error) {
      return error instanceof Error && error.name;
    }
  },
  [MISUSES]: ({ callTool }) => callTool('read', 'seven'),
  [WAITS]: () => Promise.withResolvers<never>().promise,
};

type Make = (tools?: readonly Tool[]) => Promise<Sandbox>;
const kinds: [name: string, make: Make][] = [
  ['a sandbox', (tools = TOOLS) => createSandbox({ tools })],
  ['a fake sandbox', async (tools = TOOLS) => createFakeSandbox(PROGRAMS, { tools })],
];

function layersOf(sandbox: Sandbox): unknown {
  return sandbox.report().layers.map(({ number, name }) => [number, name]);
}

describe.each(kinds)('%s', (_name, make) => {
  it('pauses where a tool needs approval, and goes on in another with the same answers and keys', async () => {
    asked = [];
    agreed = false;
    await using first = await make();
    const paused = await first.run(PAYS, { idempotencyKey: 'task' });
    expect(paused).toMatchObject({
      status: 'paused',
      pending: [{ tool: 'pay', input: 7, approvalId: 'approval-1' }],
      calls: [{ status: 'ok' }, { status: 'approval-required' }],
    });
    const token = paused.status === 'paused' ? paused.token : '';
    await using second = await make();
    expect(await second.resume(token)).toMatchObject({ status: 'paused' });
    agreed = true;
    expect(await second.resume(token, { output: z.array(z.unknown()) })).toMatchObject({
      status: 'ok',
      value: [7, 'paid'],
      calls: [{ isReplayed: true }, { isReplayed: false, status: 'ok' }],
    });
    expect(asked).toEqual(['read 7', ...Array.from({ length: 3 }, () => 'pay 7 task:2')]);
    await using elsewhere = await make([read]);
    for (const wrong of [elsewhere.resume(token), second.resume('nothing')])
      await expect(wrong).rejects.toMatchObject({ code: 'SANDBOX_RESUME_TOKEN_INVALID' });
  });
  it('makes a violation of what a gate denies, also where the program caught it', async () => {
    await using sandbox = await make();
    const types: string[] = [];
    sandbox.events.on('violated', ({ violation }) => types.push(violation.type));
    expect(await sandbox.run('await tools.denied()')).toMatchObject({
      status: 'violation',
      violation: { type: 'TOOL_DENIED', details: expect.stringContaining('Never.') },
      error: { kind: 'violation', name: 'ToolDeniedError' },
      calls: [{ status: 'denied', error: expect.stringContaining('Never.') }],
    });
    expect(await sandbox.run(CATCHES)).toMatchObject({
      status: 'ok',
      value: 'ToolDeniedError',
      violations: [{ type: 'TOOL_DENIED' }],
    });
    expect(types).toEqual(['TOOL_DENIED', 'TOOL_DENIED']);
  });
  it('checks the value against `output`, and inputs of tools against their schemas', async () => {
    await using sandbox = await make();
    expect(await sandbox.run('6 * 7', { output: z.number().transform(String) })).toMatchObject({
      status: 'ok',
      value: '42',
    });
    expect(await sandbox.run('6 * 7', { output: z.string() })).toMatchObject({
      status: 'error',
      error: {
        kind: 'result',
        name: 'ResultError',
        message: expect.stringContaining('expected string'),
      },
    });
    expect(await sandbox.run(MISUSES)).toMatchObject({
      status: 'error',
      error: { name: 'ToolInputError' },
    });
  });
  it('refuses input that is no plain data', async () => {
    await using sandbox = await make();
    await expect(sandbox.run('6 * 7', { input: () => 1 })).rejects.toMatchObject({
      code: 'SANDBOX_NOT_PLAIN_DATA',
    });
  });
  it('ends what is under way when it is closed, and begins nothing after', async () => {
    const sandbox = await make();
    const [waiting] = await Promise.allSettled([sandbox.run(WAITS), sandbox.close()]);
    expect(waiting).toMatchObject({ status: 'rejected', reason: { code: 'SANDBOX_CLOSED' } });
    await sandbox.close();
    for (const late of [sandbox.run('6 * 7'), sandbox.stream('6 * 7').next(), sandbox.doctor()])
      await expect(late).rejects.toMatchObject({ code: 'SANDBOX_CLOSED' });
  });
  it('declares the same, and reports the same layers', async () => {
    await using sandbox = await make();
    await using real = await createSandbox({ tools: TOOLS });
    expect(sandbox.declarations()).toBe(real.declarations());
    expect(layersOf(sandbox)).toEqual(layersOf(real));
  });
});

it('a fake sandbox has no layer that is active', () => {
  const { layers } = createFakeSandbox({}).report();
  expect(layers.filter(({ isActive }) => isActive)).toEqual([]);
});
