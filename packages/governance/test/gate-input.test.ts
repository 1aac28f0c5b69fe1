import { defineTool, type Tool } from '@buddy/core';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { invokeFunctionTool, RunContext, tool as openAiTool } from '@openai/agents-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADA, context, gatesWith, linesOf, OLGA, ROOT } from './gate/opening.ts';

const gates = gatesWith(`
version: 1
rules:
  - { id: mail, when: { action: [mail.send, mail_send] }, tier: 3, approve: { from: [operator], expires: 30m } }
  - { id: once, when: { action: crm.update }, tier: 2, allow: true, limit: { calls: 1, per: 1h, by: agent } }
  - { id: reads, when: { action: crm.find }, tier: 1, allow: true }
`);

function mailTool(to: z.ZodType<string> = z.email()) {
  const calls: unknown[] = [];
  const made: Tool = defineTool({
    name: 'mail.send',
    description: 'Sends a mail.',
    tier: 3,
    input: z.strictObject({ to }),
    output: z.object({ sent: z.boolean() }),
    execute: (input) => {
      calls.push(input);
      return { sent: true };
    },
  });
  return { made, calls };
}

const lookUp = async (to: string) => {
  if (to === 'down') throw new Error('the directory is down');
  return to === 'ada';
};

/** As JavaScript may, whatever the types say. */
const callWith = (tool: Tool, input: unknown, given: unknown): Promise<unknown> =>
  Reflect.apply(Object(Reflect.get(tool, 'execute')), tool, [input, given]);

const misfit = { code: 'CORE_TOOL_INPUT_INVALID', tool: 'mail.send', effect: 'none' };

describe('arguments that the tool would refuse', () => {
  it('are refused by the error of the tool before anybody is asked, with an entry in the log', async () => {
    const governance = await gates.open();
    const denied: string[] = [];
    governance.events.on('actionDenied', ({ reasonCode }) => denied.push(reasonCode));
    const { made, calls } = mailTool();
    const mail = governance.govern(made);
    await expect(mail.execute({ to: 'ada' }, context())).rejects.toMatchObject(misfit);
    expect(governance.approvals.list({}).approvals).toEqual([]);
    expect(linesOf(governance)).toEqual(['deny mail.send INPUT_MISFIT']);
    expect(denied).toEqual(['INPUT_MISFIT']);
    expect(calls).toEqual([]);
  });

  it('take no budget', async () => {
    const governance = await gates.open();
    const update = governance.govern<Tool>(
      defineTool({
        name: 'crm.update',
        description: 'Changes a contact.',
        tier: 2,
        input: z.object({ id: z.int() }),
        output: z.unknown(),
        execute: () => 'done',
      }),
    );
    for (let times = 0; times < 3; times += 1)
      await expect(update.execute({ id: 'x' }, context())).rejects.toThrow('does not fit');
    expect(await update.execute({ id: 1 }, context())).toBe('done');
    await expect(update.execute({ id: 1 }, context())).rejects.toMatchObject({
      decision: { reasonCode: 'LIMIT_REACHED' },
    });
  });

  it('use up no approval that was given before', async () => {
    const governance = await gates.open();
    let isDirectoryUp = true;
    const known = z.string().refine(() => isDirectoryUp, 'is not known');
    const { made, calls } = mailTool(known);
    const mail = governance.govern(made);
    await expect(mail.execute({ to: 'ada' }, context())).rejects.toThrow('approval-1');
    await governance.approvals.vote('approval-1', { by: OLGA, vote: 'approve', via: 'api' });
    isDirectoryUp = false;
    await expect(mail.execute({ to: 'ada' }, context())).rejects.toMatchObject(misfit);
    expect(governance.approvals.get('approval-1')?.state).toBe('approved');
    isDirectoryUp = true;
    expect(await mail.execute({ to: 'ada' }, context())).toEqual({ sent: true });
    expect(calls).toHaveLength(1);
    expect(governance.approvals.get('approval-1')?.state).toBe('consumed');
  });

  it('are found by asynchronous schemas too, and those that reject say so and end nothing else', async () => {
    const governance = await gates.open();
    const { made, calls } = mailTool(z.string().refine(lookUp));
    const mail = governance.govern(made);
    await expect(mail.execute({ to: 'eve' }, context())).rejects.toMatchObject(misfit);
    await expect(mail.execute({ to: 'down' }, context())).rejects.toThrow('the directory is down');
    await expect(mail.execute({ to: 'ada' }, context())).rejects.toThrow('approval-1');
    expect(calls).toEqual([]);
    expect(linesOf(governance)).toEqual([
      'deny mail.send INPUT_MISFIT',
      'deny mail.send INPUT_UNCHECKED',
      'approve mail.send POLICY_APPROVAL_REQUIRED',
    ]);
  });

  it('are not looked at where the policy says no: nothing of the tool is called', async () => {
    const governance = await gates.open();
    const asked: unknown[] = [];
    const { made } = mailTool(z.string().refine((to) => asked.push(to) > 0));
    const other = governance.govern({ ...made, name: 'mail.forward' });
    await expect(other.execute({ to: 'ada' }, context())).rejects.toMatchObject({
      code: 'CORE_TOOL_DENIED',
    });
    expect(asked).toEqual([]);
  });

  it('are decided on as they came, and the tool gets what its schema makes of them, once', async () => {
    const governance = await gates.open();
    const seen: unknown[] = [];
    const find = governance.govern<Tool>(
      defineTool({
        name: 'crm.find',
        description: 'Finds by a number.',
        tier: 1,
        input: z.object({ id: z.string().transform((text) => text.length) }),
        output: z.unknown(),
        execute: ({ id }) => seen.push(id),
      }),
    );
    await find.execute({ id: 'abc' }, context());
    expect(seen).toEqual([3]);
  });
});

describe('arguments that another tool, further in, refuses', () => {
  it('leave in doubt what the outer one has done before', async () => {
    const governance = await gates.open();
    const inner = governance.govern<Tool>({ ...mailTool().made, name: 'crm.find', tier: 1 });
    const outer = governance.govern<Tool>(
      defineTool({
        name: 'crm.update',
        description: 'Acts, then looks.',
        tier: 2,
        input: z.object({}),
        output: z.unknown(),
        execute: (_input, given) => inner.execute({ to: 'ada' }, given),
      }),
    );
    await expect(outer.execute({}, context())).rejects.toThrow('does not fit');
    expect(linesOf(governance)).toEqual([
      'intent crm.update POLICY_ALLOWED',
      'deny crm.find INPUT_MISFIT',
      'unknown crm.update',
    ]);
  });
});

describe('a call that nobody waits for any more', () => {
  it('uses up no approval and takes no budget', async () => {
    const governance = await gates.open();
    const { made, calls } = mailTool();
    const mail = governance.govern(made);
    const send = (signal?: AbortSignal) =>
      mail.execute({ to: 'ada@example.com' }, context(signal && { signal }));
    await expect(send()).rejects.toThrow('approval-1');
    await governance.approvals.vote('approval-1', { by: OLGA, vote: 'approve', via: 'api' });
    const reason = new Error('the run was cancelled');
    await expect(send(AbortSignal.abort(reason))).rejects.toBe(reason);
    const late = new AbortController();
    const waiting = send(late.signal);
    late.abort(reason); // while it waits for its turn in the log
    await expect(waiting).rejects.toBe(reason);
    expect(calls).toEqual([]);
    expect(governance.approvals.get('approval-1')?.state).toBe('approved');
    await send();
    expect(calls).toHaveLength(1);
    expect(linesOf(governance)).toEqual([
      'approve mail.send POLICY_APPROVAL_REQUIRED',
      'deny mail.send CALL_ABORTED',
      'deny mail.send CALL_ABORTED',
      'intent mail.send POLICY_APPROVAL_REQUIRED',
      'succeeded mail.send',
    ]);
  });
});

describe('the arguments of an OpenAI Agents tool', () => {
  const calls: unknown[] = [];
  const mail = openAiTool({
    name: 'mail_send',
    description: 'Sends a mail.',
    parameters: z.object({
      to: z.string(),
      copies: z.int().min(1).nullable(),
      how: z.enum(['now', 'later']).nullable(),
    }),
    execute: (input) => {
      calls.push(input);
      return 'sent';
    },
  });

  it('are held against the schema that the model was given, before anybody is asked', async () => {
    const governance = await gates.open();
    const governed = governance.govern(mail, { rationale: 'asked by the plan' });
    const send = (input: object | string) =>
      invokeFunctionTool({
        tool: governed,
        runContext: new RunContext(),
        input: typeof input === 'string' ? input : JSON.stringify(input),
      });
    for (const misfits of [
      { to: 7, copies: null, how: null },
      { copies: 1, how: 'now' },
      { to: 'ada', copies: 0, how: null },
      { to: 'ada', copies: null, how: 'never' },
      ['ada'],
      'send it',
    ]) {
      expect(await send(misfits)).toMatch(/^CORE_TOOL_INPUT_INVALID: Input of mail_send/);
    }
    expect(governance.approvals.list({}).approvals).toEqual([]);
    expect(new Set(linesOf(governance))).toEqual(new Set(['deny mail_send INPUT_MISFIT']));
    for (const fits of [
      { to: 'ada', copies: null, how: null },
      { to: 'ada', copies: 2, how: 'later', unknown: true },
      { to: 'ada' },
    ]) {
      expect(await send(fits)).toContain('CORE_APPROVAL_REQUIRED');
    }
    expect(calls).toEqual([]);
  });
});

describe('the arguments of an MCP tool', () => {
  it('come to the gate only when they fit: the server looks first', async () => {
    const governance = await gates.open();
    const server = governance.govern(new McpServer({ name: 'test', version: '1.0.0' }), {
      rationale: 'asked by the plan',
    });
    server.registerTool('mail.send', { inputSchema: z.object({ to: z.email() }) }, () => ({
      content: [{ type: 'text', text: 'sent' }],
    }));
    const client = new Client({ name: 'test', version: '1.0.0' });
    const [one, other] = InMemoryTransport.createLinkedPair();
    await server.connect(one);
    await client.connect(other);
    const answer = await client
      .callTool({ name: 'mail.send', arguments: { to: 'ada' } })
      .catch(() => 'refused');
    expect(JSON.stringify(answer)).toMatch(/refused|isError":true/);
    const nobody = await client.callTool({ name: 'mail.nobody' }).catch(() => 'refused');
    expect(JSON.stringify(nobody)).toMatch(/refused|isError":true/);
    expect(governance.approvals.list({}).approvals).toEqual([]);
    expect(linesOf(governance)).toEqual([]);
  });
});

describe('a call that does not say what has to be said', () => {
  const bad: [string, Record<string, unknown>, RegExp][] = [
    ['no actor', { actor: null }, /its actor is null/],
    ['an actor of no kind', { actor: { kind: 'robot', id: 'x' } }, /its actor is an object/],
    ['an actor with half a name', { actor: { kind: 'agent', id: '\uD800' } }, /its actor/],
    ['an actor in the name of nothing', { actor: { ...ADA, onBehalfOf: 7 } }, /its actor/],
    ['a reason that is a number', { rationale: 7 }, /its rationale is a number/],
    ['no reason at all', { rationale: undefined }, /its rationale is missing/],
    ['a run that is a symbol', { runId: Symbol('run') }, /its runId is a symbol/],
    ['a run with a long name', { runId: 'r'.repeat(300) }, /its runId is a text of 300/],
    ['a task that is a list', { taskId: ['t'] }, /its taskId is a list/],
    ['no key', { idempotencyKey: '' }, /its idempotencyKey is a text of 0/],
  ];

  it.each(bad)('is refused, and the refusal is in the log: %s', async (_what, known, message) => {
    const governance = await gates.open();
    const { made, calls } = mailTool();
    const mail = governance.govern(made);
    const given = { ...context(), ...known };
    await expect(callWith(mail, { to: 'a@b.cd' }, given)).rejects.toMatchObject({
      code: 'GOVERNANCE_CALL_INVALID',
      message: expect.stringMatching(message),
    });
    expect(linesOf(governance)).toEqual(['deny mail.send CALL_INVALID']);
    expect(calls).toEqual([]);
  });

  it('is refused without a context, too, and never by a TypeError', async () => {
    const governance = await gates.open();
    const mail = governance.govern(mailTool().made);
    for (const nothing of [undefined, null, 'context']) {
      await expect(callWith(mail, {}, nothing)).rejects.toMatchObject({
        code: 'GOVERNANCE_CALL_INVALID',
        effect: 'none',
      });
    }
  });

  it('is refused without an entry when not even its name can be written', async () => {
    const governance = await gates.open();
    const run = governance.govern(() => 'done', { name: 'x'.repeat(300), tier: 1 });
    await expect(run()).rejects.toMatchObject({
      code: 'GOVERNANCE_CALL_INVALID',
      message:
        'A call is not done: its name is a text of 300 characters, and must be a text of 1 to 256 characters.',
    });
    expect(linesOf(governance)).toEqual([]);
  });

  it('is said of tools of other frameworks too, and repeats nothing of what was given', async () => {
    const governance = await gates.open();
    const find = governance.govern(() => 'found', {
      name: 'crm.find',
      describeCall: () => JSON.parse('{"actor":{"kind":"the prompt"}}'),
    });
    const error = await find().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'GOVERNANCE_CALL_INVALID' });
    expect(String(error)).not.toContain('the prompt');
    expect(linesOf(governance)).toEqual(['deny crm.find CALL_INVALID']);
  });

  it.each([
    ['names nobody', { actor: undefined }],
    ['names nobody, later', Promise.resolve({ actor: undefined })],
    ['says nothing', undefined],
    ['is a list', [ADA]],
    ['misspells the actor', { actr: ADA }],
    ['has an empty actor', { actor: {} }],
    ['names a run and does not say it', { runId: undefined }],
    ['names a reason and does not say it', { rationale: undefined }],
    ['says another tier', { actor: ADA, tier: 1 }],
  ])('is said of a call whose description %s', async (_what, answer) => {
    const governance = await gates.open();
    let ran = 0;
    const named = { name: 'crm.find', actor: ADA, rationale: 'asked by the plan' };
    const describeCall = () => (Object(answer) === answer ? answer : JSON.parse('null'));
    const find = governance.govern(async () => (ran += 1), { ...named, describeCall });
    await expect(find()).rejects.toMatchObject({ code: 'GOVERNANCE_CALL_INVALID' });
    expect(ran).toBe(0);
    expect(linesOf(governance)).toEqual(['deny crm.find CALL_INVALID']);
  });

  it('is entered in the name of nobody where the description named none', async () => {
    const governance = await gates.open();
    const find = governance.govern(async () => 'found', {
      name: 'crm.find',
      actor: ADA,
      describeCall: () => JSON.parse('{"actor":null}'),
    });
    await expect(find()).rejects.toThrow('the actor that describeCall says is none');
    const [entry] = governance.audit.query({}).entries;
    expect(entry).toMatchObject({ actor: { kind: 'system', id: 'unidentified' } });
  });

  it('is not said of a description that comes later, which is waited for', async () => {
    const governance = await gates.open();
    const eve = { kind: 'agent', id: 'eve' } as const;
    const find = governance.govern(async () => 'found', {
      name: 'crm.find',
      describeCall: async () => ({ actor: eve }),
    });
    expect(await find()).toBe('found');
    expect(governance.audit.query({ kind: 'intent' }).entries).toMatchObject([{ actor: eve }]);
  });

  it('is not decided on by hand either', async () => {
    const governance = await gates.open();
    const asked = { action: 'crm.find', actor: ADA, input: {} };
    const wrongs: object[] = [{ actor: null }, { action: 7 }, { runId: Symbol('run') }];
    for (const wrong of wrongs) {
      expect(() => governance.decide(Object.assign({ ...asked }, wrong))).toThrow(
        expect.objectContaining({ code: 'GOVERNANCE_CALL_INVALID' }),
      );
    }
    expect(governance.decide(asked).outcome).toBe('allow');
  });

  it('is refused when it is asked about beforehand, as it would be when it is made', async () => {
    const governance = await gates.open();
    const asked = { action: 'crm.find', actor: ADA };
    const unsafe = JSON.parse('{"__proto__":{"isAdmin":true}}');
    const refused = { outcome: 'deny', reasonCode: 'INPUT_UNSAFE' };
    expect(governance.decide({ ...asked, input: unsafe })).toMatchObject(refused);
    expect(governance.decide({ ...asked, input: {} }).outcome).toBe('allow');
    await governance.killSwitch.turnOn(ROOT);
    expect(governance.decide({ ...asked, input: {} })).toMatchObject({
      outcome: 'deny',
      reasonCode: 'KILL_SWITCH',
    });
    await governance.killSwitch.turnOff(ROOT);
    expect(governance.decide({ ...asked, input: {} }).outcome).toBe('allow');
    expect(linesOf(governance)).toEqual([]);
  });

  it('keeps of an actor what the log has a place for, and no more', async () => {
    const governance = await gates.open();
    const actor = { ...ADA, prompt: 'the prompt' };
    const find: Tool = { ...mailTool().made, name: 'crm.find', tier: 1 };
    await governance.govern(find).execute({ to: 'a@b.cd' }, context({ actor }));
    expect(governance.audit.query({ kind: 'intent' }).entries).toMatchObject([{ actor: ADA }]);
  });
});

describe('the reason of a call', () => {
  it('has to be said in tiers 2 and 3 by who calls a tool of another framework', async () => {
    const governance = await gates.open();
    const silent = governance.govern(async (id: number) => id, { name: 'crm.update' });
    await expect(silent(1)).rejects.toMatchObject({
      decision: { reasonCode: 'RATIONALE_MISSING' },
      message: expect.stringContaining('govern(tools, { rationale })'),
    });
    const speaking = governance.govern(async (id: number) => id, {
      name: 'crm.update',
      describeCall: () => ({ rationale: 'the nightly comparison found it' }),
    });
    expect(await speaking(1)).toBe(1);
    const [, intent] = governance.audit.query({}).entries;
    expect(intent).toMatchObject({ rationale: 'the nightly comparison found it' });
  });

  it.each([
    '\u200b',
    '\u2060\u2060',
    '\u00ad',
    '\u{e0041}',
    '\u0000',
    ' \n',
    '\u3164',
    '\u2800',
    '\u0301',
  ])('is none when nobody can see it: %j', async (rationale) => {
    const governance = await gates.open();
    const update = governance.govern(async () => 'done', { name: 'crm.update', rationale });
    await expect(update()).rejects.toMatchObject({
      decision: { reasonCode: 'RATIONALE_MISSING' },
    });
  });

  it.each(['x', '理由', '👍', ' \u200bwhy'])(
    'is one when it can be seen: %j',
    async (rationale) => {
      const governance = await gates.open();
      const update = governance.govern(async () => 'done', { name: 'crm.update', rationale });
      expect(await update()).toBe('done');
    },
  );

  it('may be left out in tier 1, and then there is none in the log', async () => {
    const governance = await gates.open();
    const find = governance.govern(async () => 'found', { name: 'crm.find' });
    expect(await find()).toBe('found');
    expect(governance.audit.query({ kind: 'intent' }).entries).toMatchObject([{ rationale: null }]);
  });
});
