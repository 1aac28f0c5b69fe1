import { defineTool, isGoverned, markGoverned, type Tool } from '@buddy/core';
import { McpServer } from '@modelcontextprotocol/server';
import { tool as openAiTool } from '@openai/agents-core';
import { asSchema, jsonSchema, tool as aiTool, zodSchema } from 'ai';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { context, gatesWith, linesOf, OLGA } from './gate/opening.ts';

const gates = gatesWith(`
version: 1
rules:
  - { id: writes, when: { action: [crm.update, crm_update] }, tier: 2, allow: true }
  - { id: mail, when: { action: mail.send }, tier: 3, approve: { from: [operator], expires: 30m } }
`);
const because = { rationale: 'asked by the plan' };

/** A tool as somebody writes it by hand: an object like any other. */
function byHand() {
  const calls: unknown[] = [];
  const made = {
    name: 'crm.update',
    description: 'Changes a contact.',
    tier: 2 as 1 | 2,
    effect: 'once' as const,
    input: z.object({ to: z.string() }),
    output: z.string(),
    execute: async (input: { to: string }) => {
      calls.push(input);
      return 'done';
    },
  };
  return { made, calls };
}

describe('a tool that is changed after it was governed', () => {
  it('stays what was governed', async () => {
    const governance = await gates.open();
    const { made, calls } = byHand();
    const governed = governance.govern<Tool<{ to: string }, string>>(made);
    made.name = 'crm.find';
    made.tier = 1;
    made.execute = async () => 'something else';
    expect(await governed.execute({ to: 'ada' }, context())).toBe('done');
    expect(calls).toHaveLength(1);
    expect([governed.name, governed.tier]).toEqual(['crm.update', 2]);
    expect(linesOf(governance)[0]).toBe('intent crm.update POLICY_ALLOWED');
    expect(Object.isFrozen(governed)).toBe(true);
  });

  it('stays so also for the tools of other frameworks', async () => {
    const governance = await gates.open();
    const given = openAiTool({
      name: 'crm_update',
      description: 'Changes a contact.',
      parameters: z.object({}),
      execute: () => 'done',
    });
    const governed = governance.govern(given, because);
    given.invoke = async () => 'something else';
    expect(await governed.invoke(Object({}), '{}')).toBe('done');
  });
});

describe('frozen tools', () => {
  it('of the AI SDK and of OpenAI Agents can be governed, and are frozen again', async () => {
    const governance = await gates.open();
    const ai = Object.freeze(
      aiTool({ inputSchema: z.object({}), execute: async () => 'done by ai' }),
    );
    const openai = Object.freeze(
      openAiTool({
        name: 'crm_update',
        description: 'Changes a contact.',
        parameters: z.object({}),
        execute: () => 'done by openai',
      }),
    );
    const tools = governance.govern({ 'crm.update': ai, openai }, because);
    const options = { toolCallId: 'call-1', messages: [], context: {} };
    const { execute } = tools['crm.update'];
    expect(await execute?.({}, options)).toBe('done by ai');
    expect(await tools.openai.invoke(Object({}), '{}')).toBe('done by openai');
    expect([tools['crm.update'], tools.openai].every((one) => Object.isFrozen(one))).toBe(true);
    expect(() => governance.assertCovered(tools)).not.toThrow();
  });
});

const update = async (to: string) => to;
const sum = (one: number, other: number) => one + other;

describe('a record that mixes functions and tools', () => {
  it('comes back with the type of each, at any depth', async () => {
    const governance = await gates.open();
    const core = defineTool({ ...byHand().made, input: z.string(), execute: async (to) => to });
    const ai = aiTool({ inputSchema: z.object({}), execute: async () => 'done' });
    const server = new McpServer({ name: 'test', version: '1.0.0' });
    const governed = governance.govern(
      { 'crm.update': update, core, ai, more: { sum, list: [core, sum] as const }, server },
      because,
    );
    expectTypeOf(governed['crm.update']).toEqualTypeOf(update);
    expectTypeOf(governed.core).toEqualTypeOf(core);
    expectTypeOf(governed.ai).toEqualTypeOf(ai);
    expectTypeOf(governed.server).toEqualTypeOf(server);
    type Summing = (one: number, other: number) => Promise<number>;
    expectTypeOf(governed.more.sum).toEqualTypeOf<Summing>();
    expectTypeOf(governed.more.list).toEqualTypeOf<readonly [typeof core, Summing]>();
    expectTypeOf(governance.govern([core, core])).toEqualTypeOf<(typeof core)[]>();
    expect(await governed['crm.update']('ada')).toBe('ada');
    expect(isGoverned(governed.core) && isGoverned(governed.more.list[0])).toBe(true);
    await expect(governed.more.sum(1, 2)).rejects.toMatchObject({ code: 'CORE_TOOL_DENIED' });
    expect(() => governance.assertCovered(governed)).not.toThrow();
  });
});

const raw = async () => 'done by nobody we know';

describe('a thing that looks like a tool of several frameworks', () => {
  it('is covered only when all that acts is ours', async () => {
    const governance = await gates.open();
    const ours = governance.govern(async () => 'done', { ...because, name: 'crm.update' });
    const decoys: Record<string, object> = {
      'an OpenAI tool with an execute of ours': {
        type: 'function',
        name: 'a',
        invoke: raw,
        execute: ours,
      },
      'an AI SDK tool with an invoke of ours': { inputSchema: {}, execute: raw, invoke: ours },
      'both at once': { type: 'function', name: 'c', inputSchema: {}, invoke: ours, execute: raw },
    };
    for (const [name, decoy] of Object.entries(decoys)) {
      expect(() => governance.assertCovered({ [name]: decoy })).toThrow('No gate stands');
      // Nor is it taken for governed, and left as it is.
      expect(governance.govern({ [name]: decoy })).not.toEqual({ [name]: decoy });
    }
  });

  it('is not covered as a tool of core that has a second way to act', async () => {
    const governance = await gates.open();
    const governed = governance.govern(defineTool(byHand().made));
    const heir: Tool = Object.create(governed, { undo: { value: async () => {} } });
    expect(() => governance.assertCovered([heir])).toThrow('crm.update');
    const twofold = governance.govern({ ...byHand().made, invoke: async () => 'done' });
    expect(() => governance.assertCovered([twofold])).toThrow('crm.update');
  });
});

describe('a tool that only seems to be governed', () => {
  const undoable: Tool = {
    ...byHand().made,
    undo: async () => {},
    reconcile: async () => ({ happened: false }),
  };

  it.each(['execute', 'undo', 'reconcile'])(
    'is not covered when its %s was put back in a copy',
    async (name) => {
      const governance = await gates.open();
      const governed = governance.govern(undoable);
      expect(() => governance.assertCovered([governed])).not.toThrow();
      const copy: Tool = Object.create(Object.getPrototypeOf(governed), {
        ...Object.getOwnPropertyDescriptors(governed),
        [name]: { value: Reflect.get(undoable, name), enumerable: true },
      });
      expect(() => governance.assertCovered([copy])).toThrow('crm.update');
    },
  );

  it("is not covered by core's mark, which anybody can set, nor by another gate", async () => {
    const governance = await gates.open();
    const other = await gates.open();
    const marked = markGoverned(undoable);
    expect(isGoverned(marked)).toBe(true);
    expect(() => governance.assertCovered([marked])).toThrow('crm.update');
    expect(() => governance.assertCovered([other.govern(undoable)])).toThrow('crm.update');
    expect(() => governance.assertCovered([governance.govern(marked)])).not.toThrow();
  });

  it('has no gate as a server of MCP that was never governed, and has no tools yet', async () => {
    const governance = await gates.open();
    const server = new McpServer({ name: 'crm', version: '1' });
    expect(() => governance.assertCovered({ server })).toThrow('server');
    expect(() => governance.assertCovered([server])).toThrow('No gate stands');
    governance.govern(server);
    expect(() => governance.assertCovered([server])).not.toThrow();
  });
});

/** As a library of schemas has it that is not zod: it can validate, and tells nobody how. */
function standardSchema(longest: number, json?: (longest: number) => object) {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) =>
        String(value).length <= longest ? { value } : { issues: [{ message: 'too long' }] },
      ...(json && { jsonSchema: { input: () => json(longest), output: () => json(longest) } }),
    },
  };
}

interface Chapter {
  title: string;
  parts: Chapter[];
}
const chapter = (longest: number): z.ZodType<Chapter> =>
  z.object({ title: z.string().max(longest), parts: z.array(z.lazy(() => chapterOf(longest))) });
const chapters = new Map<number, z.ZodType<Chapter>>();
function chapterOf(longest: number): z.ZodType<Chapter> {
  const known = chapters.get(longest) ?? chapter(longest);
  chapters.set(longest, known);
  return known;
}
const refined = [(text: string) => text.length < 3, (text: string) => text.length < 4] as const;
const maxLength = (longest: number) => ({ type: 'string', maxLength: longest }) as const;

/** Asks with one schema, has it approved, and asks with the other. */
async function asksAgain(first: unknown, second: unknown, version?: string): Promise<boolean> {
  const governance = await gates.open();
  const call = (inputSchema: unknown) => {
    const made = { inputSchema, execute: async () => 'sent' };
    const options = { ...because, ...(version !== undefined && { version }) };
    const governed = governance.govern({ 'mail.send': made }, options)['mail.send'];
    return Reflect.apply(governed.execute, governed, [{ to: 'ada' }, {}]).then(
      () => 'sent',
      (error: Error) => error.message,
    );
  };
  expect(await call(first)).toContain('approval-1');
  await governance.approvals.vote('approval-1', { by: OLGA, vote: 'approve', via: 'api' });
  return (await call(second)) !== 'sent';
}

describe('what a tool takes', () => {
  it.each<[string, (longest: 0 | 1) => unknown]>([
    ['JSON Schema', (at) => jsonSchema(maxLength(at))],
    ['a schema of zod', (at) => z.string().max(at)],
    ['a schema of zod in the wrap of the SDK', (at) => zodSchema(z.string().max(at))],
    ['a refinement', (at) => z.string().refine(refined[at])],
    ['a transform', (at) => z.string().transform(refined[at])],
    ['one in itself, by z.lazy', (at) => chapter(at)],
    ['one that is made when it is needed', (at) => () => zodSchema(z.string().max(at))],
    ['a Standard Schema that tells its JSON Schema', (at) => standardSchema(at, maxLength)],
  ])('is what an approval is bound to: %s', async (_what, schema) => {
    expect(await asksAgain(schema(0), schema(1))).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['a schema of zod', () => z.object({ to: z.string().max(3).refine(refined[0]) })],
    ['one in itself, by z.lazy', () => chapter(3)],
    ['one that is made when it is needed', () => () => zodSchema(z.string())],
    ['a Standard Schema that tells its JSON Schema', () => standardSchema(3, maxLength)],
    ['no schema', () => null],
  ])('is the same when it is made anew, as after a restart: %s', async (_what, schema) => {
    expect(await asksAgain(schema(), schema())).toBe(false);
  });

  it('may come to be known only after the tool was governed', async () => {
    const governance = await gates.open();
    let later: z.ZodType<string> | undefined;
    const echo = governance.govern<Tool>(
      defineTool({
        ...byHand().made,
        input: z.lazy(() => {
          if (!later) throw new TypeError('not yet');
          return later;
        }),
        execute: async (to) => to,
      }),
    );
    later = z.string();
    expect(await echo.execute('ada', context())).toBe('ada');
  });

  it('is asked of what makes it only when it is needed, as the SDK does', async () => {
    const governance = await gates.open();
    let made = 0;
    const inputSchema = () => {
      made += 1;
      return zodSchema(z.string());
    };
    expect(asSchema(inputSchema)).toBeDefined();
    const before = made;
    governance.govern({ 'mail.send': { inputSchema, execute: async () => 'sent' } });
    expect(made).toBe(before);
  });

  it('is the very object, where nobody can tell what it says', async () => {
    const one = standardSchema(3);
    expect(await asksAgain(one, one)).toBe(false);
  });

  it('is never taken for another of which nobody can tell, unless its version is said', async () => {
    expect(await asksAgain(standardSchema(3), standardSchema(4))).toBe(true);
  });

  it('is what its version says, where one is said', async () => {
    expect(await asksAgain(standardSchema(3), standardSchema(4), 'mail 2')).toBe(false);
  });
});
