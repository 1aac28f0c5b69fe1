import {
  type Actor,
  ApprovalRequiredError,
  defineTool,
  extendContext,
  isGoverned,
  isSelfChecking,
  markGoverned,
  markSelfChecking,
  type Tool,
  ToolDeniedError,
  toolContext,
} from '@buddy/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const actor: Actor = { kind: 'human', id: 'grace' };

function greetTool() {
  return defineTool({
    name: 'people.greeting.say',
    description: 'Greets somebody.',
    tier: 1,
    input: z.strictObject({ name: z.string().min(1), times: z.int().default(1) }),
    output: z.object({ text: z.string().transform((said) => said.trim()) }),
    execute: ({ name, times }) => ({ text: `${'hello '.repeat(times)}${name} ` }),
  });
}

describe('a tool', () => {
  it('checks what goes in and what comes out, and fills defaults', async () => {
    const greet = greetTool();
    const output = await greet.execute(greet.input.parse({ name: 'ada' }), toolContext({ actor }));
    expect(output).toEqual({ text: 'hello ada' });
    // @ts-expect-error: `times` has its default only where input is parsed
    await expect(greet.execute({ name: 'ada' }, toolContext({ actor }))).resolves.toBeDefined();
    expectTypeOf(greet).toExtend<Tool<{ name: string; times: number }, { text: string }>>();
    await expect(
      greet.execute({ name: '', times: 1 }, toolContext({ actor })),
    ).rejects.toMatchObject({
      code: 'CORE_TOOL_INPUT_INVALID',
      tool: 'people.greeting.say',
      effect: 'none',
      retryable: false,
    });
  });

  it('checks by schemas that are asynchronous, too', async () => {
    const lookUp = defineTool({
      name: 'a.b',
      description: 'Takes what is known.',
      tier: 1,
      input: z.string().refine(async (id) => id === 'known', 'must be known'),
      output: z.string().transform(async (said) => said.length),
      execute: (id) => id,
    });
    expect(await lookUp.execute('known', toolContext({ actor }))).toBe(5);
    await expect(lookUp.execute('other', toolContext({ actor }))).rejects.toMatchObject({
      code: 'CORE_TOOL_INPUT_INVALID',
      message: expect.stringContaining('must be known'),
    });
  });

  it('says that it checks by its schemas, and a copy says so as long as it does', () => {
    const greet = greetTool();
    expect(isSelfChecking(greet)).toBe(true);
    expect(isSelfChecking(markGoverned(greet))).toBe(true);
    expect(isSelfChecking({ ...greet, description: 'Another one.' })).toBe(true);
    expect(isSelfChecking({ ...greet, input: z.unknown() })).toBe(false);
    const execute: Tool['execute'] = (input, context) => greet.execute(Object(input), context);
    const wrapper: Tool = { ...greet, execute };
    expect(isSelfChecking(wrapper)).toBe(false);
    markSelfChecking(execute, greet);
    expect(isSelfChecking(wrapper)).toBe(true);
  });

  it('says that it was done when its output does not fit', async () => {
    const broken = defineTool({
      name: 'a.b',
      description: 'Breaks its word.',
      tier: 2,
      input: z.unknown(),
      output: z.object({ id: z.string().min(3) }),
      execute: () => ({ id: 'x' }),
    });
    await expect(broken.execute(undefined, toolContext({ actor }))).rejects.toMatchObject({
      code: 'CORE_TOOL_OUTPUT_INVALID',
      effect: 'unknown',
    });
  });

  it('does what it was defined to do, whatever becomes of what defined it', async () => {
    const changing = { ...definition, execute: () => 'as defined' };
    const defined = defineTool(changing);
    changing.execute = () => 'otherwise';
    expect(await defined.execute(undefined, toolContext({ actor }))).toBe('as defined');
  });

  it('happens twice when repeated, unless it says otherwise', () => {
    expect(greetTool().effect).toBe('once');
  });

  it('keeps undo and reconcile, with their `this`, and has none where none is given', async () => {
    const store = defineTool({
      name: 'store.items.put',
      description: 'Puts an item.',
      tier: 2,
      effect: 'keyed',
      input: z.string(),
      output: z.string(),
      execute: (item) => item.toUpperCase(),
      async undo() {
        expect(this.tier).toBe(2);
      },
      async reconcile(_item, key) {
        return { happened: true, output: `${this.name} ${key}` };
      },
    });
    await store.undo?.('a', 'A', toolContext({ actor }));
    expect(await store.reconcile?.('a', 'key-1')).toEqual({
      happened: true,
      output: 'store.items.put key-1',
    });
    expect(greetTool()).not.toHaveProperty('undo');
    expect(Object.isFrozen(store)).toBe(true);
  });

  it.each(['', 'has space', '.a', 'a.', 'a..b', '1a', `a${'.b'.repeat(100)}`])(
    'refuses the name %j',
    (name) => {
      expect(() => defineTool({ ...definition, name })).toThrow(
        expect.objectContaining({ code: 'CORE_INVALID_INPUT' }),
      );
    },
  );

  it('refuses a tier that is none, and no description', () => {
    // @ts-expect-error: there are four tiers
    expect(() => defineTool({ ...definition, tier: 5 })).toThrow('tier');
    expect(() => defineTool({ ...definition, description: '' })).toThrow(
      'must say what the tool does',
    );
    // @ts-expect-error: there are three effects
    expect(() => defineTool({ ...definition, effect: 'none' })).toThrow('effect');
  });
});

const definition = {
  name: 'a.b',
  description: 'Does nothing.',
  tier: 1 as const,
  input: z.unknown(),
  output: z.unknown(),
  execute: () => undefined,
};

describe('a context made by hand', () => {
  it('has a key of its own, a signal that is not aborted, and what it was given', () => {
    const context = toolContext({ actor, rationale: 'a test', runId: 'run-1' });
    expect(context).toMatchObject({ actor, attempt: 1, rationale: 'a test', runId: 'run-1' });
    expect(context.signal.aborted).toBe(false);
    expect(context.idempotencyKey).not.toBe(toolContext({ actor }).idempotencyKey);
    // Only who calls can say why: a gate takes no word of the library's for it.
    expect(toolContext({ actor }).rationale).toBe('');
  });
});

describe('the governance mark', () => {
  it('is borne by what a gate marked, and by no copy of it', () => {
    const tool = defineTool(definition);
    const governed = markGoverned(tool);
    expect(isGoverned(governed)).toBe(true);
    expect(isGoverned(tool)).toBe(false);
    expect(isGoverned({ ...governed })).toBe(false);
    expect(isGoverned({ ...governed, execute: async () => 'anything' })).toBe(false);
    const heir: Tool = Object.create(governed, { execute: { value: async () => 'anything' } });
    expect(isGoverned(heir)).toBe(false);
    expect(() => Object.assign(governed, { execute: async () => 'anything' })).toThrow(TypeError);
  });

  it('leaves a tool that is made by a class whole, methods and getters', async () => {
    const governed = markGoverned(new Counter());
    expect([governed.name, governed.tier]).toEqual(['counter.add', 2]);
    expect(isGoverned(governed)).toBe(true);
    expect(await governed.execute(3)).toBe(3);
    await expect(governed.undo(3)).rejects.toThrow('3 is not undone');
    expect(Object.isFrozen(governed)).toBe(true);
  });

  it('is borne by the copy of a marked one, for the new execute only', async () => {
    const governed = markGoverned(tool());
    const again = markGoverned({ ...governed, execute: async () => 'anything' });
    expect(await again.execute()).toBe('anything');
    expect(isGoverned(again)).toBe(true);
    expect(isGoverned(markGoverned(governed))).toBe(true);
  });

  it('is not inherited, for an heir may take back in another way than the one that was marked', () => {
    const heir: Tool = Object.create(markGoverned(tool()), { undo: { value: async () => {} } });
    expect(isGoverned(heir)).toBe(false);
  });
});

const tool = () => defineTool(definition);

/** As somebody with a liking for classes writes a tool. */
class Counter implements Tool<number, number> {
  total = 0;
  readonly description = 'Counts up.';
  readonly effect = 'once';
  readonly input = z.number();
  readonly output = z.number();
  get name() {
    return 'counter.add';
  }
  get tier() {
    return 2 as const;
  }
  async execute(by: number) {
    return this.total + by;
  }
  async undo(by: number) {
    throw new Error(`${this.total + by} is not undone`);
  }
}

describe('what a gate throws', () => {
  it('says who denied what and why', () => {
    const decision = {
      outcome: 'deny',
      rule: 'no-night-mail',
      reasonCode: 'QUIET_HOURS',
      explanation: 'It is night.',
    } as const;
    const denied = new ToolDeniedError('mail.send', decision);
    expect(denied).toMatchObject({
      code: 'CORE_TOOL_DENIED',
      tool: 'mail.send',
      decision,
      effect: 'none',
    });
    expect(denied.message).toBe('mail.send is denied by no-night-mail: It is night.');
  });

  it('says which approval is awaited', () => {
    expect(new ApprovalRequiredError('mail.send', 'approval-1')).toMatchObject({
      code: 'CORE_APPROVAL_REQUIRED',
      approvalId: 'approval-1',
      retryable: false,
      message: 'mail.send needs approval approval-1',
    });
  });
});

describe('a context with changes', () => {
  it('keeps what is made only when it is read, as a spread copy would not', () => {
    class Lazy {
      readonly actor = actor;
      readonly rationale = 'made by a runner';
      readonly attempt = 1;
      get signal() {
        return new AbortController().signal;
      }
      get idempotencyKey() {
        return 'key-1';
      }
    }
    expect(Object.assign({}, new Lazy())).not.toHaveProperty('idempotencyKey'); // as a spread does
    const extended = extendContext(new Lazy(), { rationale: 'on behalf of grace', runId: 'run-1' });
    expect(extended).toMatchObject({
      actor,
      idempotencyKey: 'key-1',
      rationale: 'on behalf of grace',
      runId: 'run-1',
    });
    expect(extended.signal.aborted).toBe(false);
    expect(extended).not.toHaveProperty('taskId');
  });
});
