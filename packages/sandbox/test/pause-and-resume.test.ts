import { createHash } from 'node:crypto';
import { ApprovalRequiredError, defineTool, type Tool, ToolDeniedError } from '@buddy/core';
import { createSandbox, type RunResult, type Sandbox } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

interface World {
  approved: Set<string>;
  asked: string[];
  tools: Tool[];
}

function makeWorld(): World {
  const approved = new Set<string>();
  const asked: string[] = [];
  const read = defineTool({
    name: 'read',
    description: 'Reads a counter.',
    tier: 1,
    input: z.object({ n: z.number() }),
    output: z.object({ n: z.number(), call: z.number() }),
    execute: ({ n }) => ({ n, call: asked.push(`read ${n}`) }),
  });
  const send = defineTool({
    name: 'send',
    description: 'Sends, once a person agreed.',
    tier: 2,
    input: z.object({ to: z.string() }),
    output: z.string(),
    execute: ({ to }, { idempotencyKey }) => {
      asked.push(`send ${to} ${idempotencyKey}`);
      if (!approved.has(to)) throw new ApprovalRequiredError('send', `approval-${to}`);
      return `sent to ${to}`;
    },
  });
  return { approved, asked, tools: [read, send] };
}

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

const CODE = `
  const dice = Math.random();
  const first = await tools.read({ n: 1 });
  await new Promise((done) => setTimeout(done, 3));
  const began = Date.now();
  console.log('dice', dice);
  const sent = await tools.send({ to: 'ada' });
  const [second, third] = await Promise.all([tools.read({ n: 2 }), tools.read({ n: 3 })]);
  ({ dice, began, sent, calls: [first.call, second.call, third.call], later: Math.random() })
`;

async function pausedToken(sandbox: Sandbox, code = CODE): Promise<string> {
  const result = await sandbox.run(code, { seed: 5, idempotencyKey: 'task' });
  if (result.status !== 'paused') throw new Error(`expected a pause, got ${result.toModelText()}`);
  return result.token;
}

function contentOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** As whoever may write tokens can make one: its digest finds accidents only. */
function tokenOf(content: object): string {
  const body = Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${createHash('sha256').update(body).digest('base64url').slice(0, 16)}.${body}`;
}

function valueOf(result: RunResult): unknown {
  return result.status === 'ok' ? result.value : result;
}

describe('a run that needs an approval', () => {
  it('pauses, says for what, and has done nothing of it', async () => {
    const { tools } = makeWorld();
    await using sandbox = await createSandbox({ tools });
    const result = await sandbox.run(CODE);
    expect(result).toMatchObject({
      status: 'paused',
      pending: [{ tool: 'send', input: { to: 'ada' }, approvalId: 'approval-ada' }],
      calls: [
        { tool: 'read', status: 'ok' },
        { tool: 'send', status: 'approval-required' },
      ],
    });
    expect(result.toModelText()).toContain('approval-ada');
  });
  it('goes on in another sandbox where it stopped: the same chance, clock and answers, each call made once', async () => {
    const { tools, approved, asked } = makeWorld();
    const token = await createSandbox({ tools }).then(async (sandbox) => {
      const made = await pausedToken(sandbox);
      await sandbox.close();
      return made;
    });
    approved.add('ada');
    await using sandbox = await createSandbox({ tools });
    const resumed = await sandbox.resume(token);
    expect(resumed).toMatchObject({
      status: 'ok',
      value: { sent: 'sent to ada', calls: [1, 4, 5] },
      calls: [
        { isReplayed: true },
        { isReplayed: false },
        { isReplayed: false },
        { isReplayed: false },
      ],
    });
    expect(asked).toEqual(['read 1', 'send ada task:3', 'send ada task:3', 'read 2', 'read 3']);
    const again = await sandbox.resume(token);
    const { dice, began, later } = Object(valueOf(resumed));
    expect(valueOf(again)).toMatchObject({ dice, began, later });
  });
  it('pauses again when the approval is still missing, or another is', async () => {
    const { tools, approved } = makeWorld();
    await using sandbox = await createSandbox({ tools });
    const token = await pausedToken(
      sandbox,
      'const a = await tools.send({ to: "ada" }); const b = await tools.send({ to: "bob" }); [a, b]',
    );
    expect(await sandbox.resume(token)).toMatchObject({
      status: 'paused',
      pending: [{ approvalId: 'approval-ada' }],
    });
    approved.add('ada');
    const second = await sandbox.resume(token);
    expect(second).toMatchObject({ status: 'paused', pending: [{ approvalId: 'approval-bob' }] });
    approved.add('bob');
    const third = await sandbox.resume(second.status === 'paused' ? second.token : '');
    expect(third).toMatchObject({ status: 'ok', value: ['sent to ada', 'sent to bob'] });
  });
  it('keeps what was under way beside it on the record', async () => {
    const { tools, approved, asked } = makeWorld();
    await using sandbox = await createSandbox({ tools });
    const token = await pausedToken(
      sandbox,
      'await Promise.all([tools.send({ to: "ada" }), tools.read({ n: 9 })])',
    );
    approved.add('ada');
    expect(await sandbox.resume(token)).toMatchObject({
      status: 'ok',
      value: ['sent to ada', { n: 9 }],
    });
    expect(asked.filter((each) => each === 'read 9')).toHaveLength(1);
  });
  it('logs a violation once, though the replay meets it again', async () => {
    const { tools, approved } = makeWorld();
    const logged: string[] = [];
    await using sandbox = await createSandbox({
      tools,
      violationLog: { append: ({ violation_type }) => void logged.push(violation_type) },
    });
    const token = await pausedToken(
      sandbox,
      'try { fetch("x") } catch {} await tools.send({ to: "ada" })',
    );
    approved.add('ada');
    expect(await sandbox.resume(token)).toMatchObject({
      status: 'ok',
      violations: [{ type: 'NETWORK_ACCESS_ATTEMPT' }],
    });
    expect(logged).toEqual(['NETWORK_ACCESS_ATTEMPT']);
  });
  it('logs what is new after a denial that the replay meets again', async () => {
    const { tools, approved } = makeWorld();
    const logged: string[] = [];
    await using sandbox = await createSandbox({
      tools: [...tools, denied],
      violationLog: { append: ({ violation_type }) => void logged.push(violation_type) },
    });
    const token = await pausedToken(
      sandbox,
      'try { await tools.denied() } catch {} await tools.send({ to: "ada" }); try { fetch("x") } catch {}',
    );
    expect(logged).toEqual(['TOOL_DENIED']);
    approved.add('ada');
    expect(await sandbox.resume(token)).toMatchObject({
      status: 'ok',
      violations: [{ type: 'TOOL_DENIED', line: 1 }, { type: 'NETWORK_ACCESS_ATTEMPT' }],
    });
    expect(logged).toEqual(['TOOL_DENIED', 'NETWORK_ACCESS_ATTEMPT']);
  });
  it('refuses to go on where the program would see other tools or modules, says which, and runs nothing', async () => {
    const { tools, approved, asked } = makeWorld();
    const [read, send] = tools;
    if (!read || !send) throw new Error('the world has two tools');
    await using sandbox = await createSandbox({
      tools,
      modules: ['math', { own: 'export const one = 1' }],
    });
    const token = await pausedToken(
      sandbox,
      'try { await tools.send({ to: "ada" }) } catch { await tools.read({ n: 7 }) }',
    );
    approved.add('ada');
    const other: Tool = { ...read, input: z.object({ n: z.number(), unit: z.string() }) };
    await using elsewhere = await createSandbox({
      tools: [other, denied],
      modules: ['json', { own: 'export const one = 2' }],
    });
    await expect(elsewhere.resume(token)).rejects.toMatchObject({
      code: 'SANDBOX_RESUME_TOKEN_INVALID',
      message: expect.stringContaining(
        'tool denied was not there; tool read has other schemas; tool send is missing; module json was not there; module math is missing; module own has another source.',
      ),
    });
    expect(asked).toEqual(['send ada task:1']);
  });
  it('goes on where only words and defaults of the schemas are new, and the order of the tools', async () => {
    const { tools, approved } = makeWorld();
    const [read, send] = tools;
    if (!read || !send) throw new Error('the world has two tools');
    let made = 0;
    const withDefault = (words: string): Tool => ({
      ...read,
      input: z.object({ n: z.number().default(() => ++made) }).describe(words),
    });
    await using sandbox = await createSandbox({ tools: [withDefault('before'), send] });
    const token = await pausedToken(sandbox, 'await tools.send({ to: "ada" })');
    approved.add('ada');
    await using elsewhere = await createSandbox({ tools: [send, withDefault('now')] });
    expect(await elsewhere.resume(token)).toMatchObject({ status: 'ok', value: 'sent to ada' });
  });
  it('does not ask for what nobody agreed to, where the token holds another question', async () => {
    const { tools, approved, asked } = makeWorld();
    await using sandbox = await createSandbox({ tools });
    const token = await pausedToken(sandbox, 'await tools.send({ to: "ada" })');
    const content = contentOf(token);
    expect(content).toMatchObject({ version: 2, waiting: [{ id: 1 }] });
    approved.add('bob');
    const changed = tokenOf({ ...content, code: 'await tools.send({ to: "bob" })' });
    expect(await sandbox.resume(changed)).toMatchObject({
      status: 'error',
      error: { name: 'ReplayError' },
    });
    expect(asked).toEqual(['send ada task:1']);
  });
  it('says of which version a token is that it cannot read', async () => {
    await using sandbox = await createSandbox({});
    await expect(sandbox.resume(tokenOf({ version: 1, code: '1' }))).rejects.toMatchObject({
      code: 'SANDBOX_RESUME_TOKEN_INVALID',
      message: expect.stringContaining('of version 1, and this package reads version 2'),
    });
  });
  it('refuses a token that was cut or changed', async () => {
    const { tools } = makeWorld();
    await using sandbox = await createSandbox({ tools });
    const token = await pausedToken(sandbox);
    await expect(sandbox.resume(token.slice(0, -2))).rejects.toMatchObject({
      code: 'SANDBOX_RESUME_TOKEN_INVALID',
    });
    await expect(sandbox.resume('')).rejects.toMatchObject({
      code: 'SANDBOX_RESUME_TOKEN_INVALID',
    });
  });
});
