import { generateText, isStepCount, streamText, tool, type ToolSet } from 'ai';
import { convertArrayToReadableStream, MockLanguageModelV4 } from 'ai/test';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { openWorld } from './adapters/world.ts';

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** A model that calls one tool, and then says that it is done. */
function modelThatCalls(toolName: string, input: unknown): MockLanguageModelV4 {
  const call = {
    type: 'tool-call',
    toolCallId: 'call-1',
    toolName,
    input: typeof input === 'string' ? input : JSON.stringify(input),
  } as const;
  const stopped = { unified: 'stop', raw: undefined } as const;
  const called = { unified: 'tool-calls', raw: undefined } as const;
  const text = { type: 'text', text: 'done' } as const;
  let steps = 0;
  return new MockLanguageModelV4({
    doGenerate: async () => {
      steps += 1;
      return steps === 1
        ? { content: [call], finishReason: called, usage, warnings: [] }
        : { content: [text], finishReason: stopped, usage, warnings: [] };
    },
    doStream: async () => {
      steps += 1;
      return {
        stream:
          steps === 1
            ? convertArrayToReadableStream([
                call,
                { type: 'finish' as const, finishReason: called, usage },
              ])
            : convertArrayToReadableStream([
                { type: 'finish' as const, finishReason: stopped, usage },
              ]),
      };
    },
  });
}

/** Runs one call as the SDK does; what the model is told of it. */
async function callOf(tools: ToolSet, name: string, input: unknown): Promise<unknown> {
  const { steps } = await generateText({
    model: modelThatCalls(name, input),
    tools,
    prompt: 'go',
    stopWhen: isStepCount(2),
  });
  return steps[0]?.content.find(({ type }) => type === 'tool-result' || type === 'tool-error');
}

function crm() {
  const calls: unknown[] = [];
  const make = () =>
    tool({
      description: 'Does it.',
      inputSchema: z.object({ to: z.string() }),
      execute: async (input) => {
        calls.push(input);
        return { done: true };
      },
    });
  return { make, calls };
}

describe('a tool set of the AI SDK', () => {
  it('does what the policy allows, with intent and outcome in the log', async () => {
    await using world = await openWorld();
    const { make, calls } = crm();
    const tools = world.withGate({ 'crm.update': make() });
    expect(await callOf(tools, 'crm.update', { to: 'ada' })).toMatchObject({
      type: 'tool-result',
      output: { done: true },
    });
    expect(calls).toEqual([{ to: 'ada' }]);
    expect(world.log()).toEqual(['intent crm.update', 'succeeded crm.update']);
  });

  it('does nothing that is blocked, and the model is told', async () => {
    await using world = await openWorld();
    const { make, calls } = crm();
    const tools = world.withGate({ 'crm.wipe': make() });
    expect(await callOf(tools, 'crm.wipe', { to: 'ada' })).toMatchObject({
      type: 'tool-error',
      error: expect.objectContaining({ code: 'CORE_TOOL_DENIED' }),
    });
    expect(calls).toEqual([]);
    expect(world.log()).toEqual(['deny crm.wipe POLICY_BLOCKED']);
  });

  it('waits for a person, and then does the same call once', async () => {
    await using world = await openWorld();
    const { make, calls } = crm();
    const tools = world.withGate({ 'mail.send': make() }, { runId: 'run-1' });
    const send = (to: string) => callOf(tools, 'mail.send', { to });
    expect(await send('ada')).toMatchObject({
      type: 'tool-error',
      error: expect.objectContaining({ code: 'CORE_APPROVAL_REQUIRED', approvalId: 'approval-1' }),
    });
    await world.approve('approval-1');
    // Somebody agreed to ada, not to mallory.
    expect(await send('mallory')).toMatchObject({
      error: expect.objectContaining({ approvalId: 'approval-2' }),
    });
    expect(calls).toEqual([]);
    expect(await send('ada')).toMatchObject({ type: 'tool-result', output: { done: true } });
    expect(await send('ada')).toMatchObject({
      error: expect.objectContaining({ approvalId: 'approval-3' }),
    });
    expect(calls).toEqual([{ to: 'ada' }]);
  });

  it('has to be asked for again when what the model is told of it has changed', async () => {
    await using world = await openWorld();
    const calls: unknown[] = [];
    const send = (maxLength: number) =>
      callOf(
        world.withGate({
          'mail.send': tool({
            inputSchema: z.object({ to: z.string().max(maxLength) }),
            execute: async (input) => calls.push(input),
          }),
        }),
        'mail.send',
        { to: 'ada' },
      );
    await send(10);
    await world.approve('approval-1');
    expect(await send(11)).toMatchObject({
      error: expect.objectContaining({ approvalId: 'approval-2' }),
    });
    expect(calls).toEqual([]);
  });

  it('is found again by a key from which nobody can guess its arguments', async () => {
    await using one = await openWorld();
    await using other = await openWorld();
    const keys: unknown[] = [];
    for (const { governance, withGate } of [one, other]) {
      await callOf(withGate({ 'mail.send': crm().make() }), 'mail.send', { to: 'ada' });
      keys.push(governance.approvals.get('approval-1')?.idempotencyKey);
    }
    expect(keys).toEqual([expect.stringContaining('hmac'), expect.stringContaining('hmac')]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('is not called with arguments that reach for prototypes, or with more than is bearable', async () => {
    await using world = await openWorld();
    const calls: unknown[] = [];
    const tools = world.withGate({
      'crm.update': tool({
        inputSchema: z.looseObject({}),
        execute: async (input) => calls.push(input),
      }),
    });
    const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
    for (const hostile of [
      { prototype: { isAdmin: true } },
      { note: 'x'.repeat(1_000_001) },
      deep,
    ]) {
      expect(await callOf(tools, 'crm.update', hostile)).toMatchObject({
        type: 'tool-error',
        error: expect.objectContaining({
          decision: expect.objectContaining({ reasonCode: 'INPUT_UNSAFE' }),
        }),
      });
    }
    expect(calls).toEqual([]);
  });

  it('refuses a tool that neither its maker nor a rule gives a tier', async () => {
    await using world = await openWorld();
    const { make, calls } = crm();
    const ungraded = world.withGate({ 'tierless.do': make() });
    expect(await callOf(ungraded, 'tierless.do', { to: 'ada' })).toMatchObject({
      error: expect.objectContaining({
        decision: expect.objectContaining({ reasonCode: 'UNKNOWN_ACTION' }),
      }),
    });
    expect(calls).toEqual([]);
    const graded = world.withGate({ 'tierless.do': make() }, { tier: 2 });
    expect(await callOf(graded, 'tierless.do', { to: 'ada' })).toMatchObject({
      type: 'tool-result',
    });
  });

  it('writes that a call failed, and tells the model so', async () => {
    await using world = await openWorld();
    const tools = world.withGate({
      'crm.update': tool({
        inputSchema: z.object({}),
        execute: async (): Promise<string> => {
          throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
        },
      }),
    });
    expect(await callOf(tools, 'crm.update', {})).toMatchObject({
      type: 'tool-error',
      error: expect.objectContaining({ message: 'lost' }),
    });
    expect(world.log()).toEqual(['intent crm.update', 'unknown crm.update ECONNRESET']);
  });

  it('keeps its type, and all that the SDK reads of a tool', async () => {
    await using world = await openWorld();
    const hidden = Symbol('hidden');
    const given = Object.defineProperty(crm().make(), hidden, { value: 7 });
    const tools = { 'crm.update': given };
    const governed = world.withGate(tools);
    expectTypeOf(governed).toEqualTypeOf(tools);
    expect(Reflect.get(governed['crm.update'], hidden)).toBe(7);
    expect(governed['crm.update'].inputSchema).toBe(given.inputSchema);
    expect(world.withGate(governed)['crm.update']).toBe(governed['crm.update']);
  });

  it('names what the client or the provider runs as not covered', async () => {
    await using world = await openWorld();
    const clientSide = tool({ inputSchema: z.object({}) });
    const providerRun = {
      type: 'provider',
      isProviderExecuted: true,
      id: 'acme.search',
      args: {},
      inputSchema: z.object({}),
    } as const;
    const tools = {
      'crm.find': crm().make(),
      'browser.ask': clientSide,
      'acme.search': providerRun,
    };
    const governed = world.withGate(tools);
    expect(() => world.governance.assertCovered(governed)).toThrow(
      expect.objectContaining({ tools: ['browser.ask', 'acme.search'] }),
    );
    expect(() =>
      world.governance.assertCovered({ 'crm.find': governed['crm.find'] }),
    ).not.toThrow();
    expect(() => world.governance.assertCovered(tools)).toThrow('crm.find');
  });

  it('cannot be governed without its name', async () => {
    await using world = await openWorld();
    expect(() => world.withGate(crm().make())).toThrow('from its tool set');
  });
});

function reportTool(pieces = ['a', 'ab', 'abc']) {
  const closed: boolean[] = [];
  const made = tool({
    inputSchema: z.object({ to: z.string() }),
    async *execute() {
      try {
        for (const piece of pieces) {
          if (piece === 'throw') throw new Error('broke off');
          yield piece;
        }
      } finally {
        closed.push(true);
      }
    },
  });
  return { made, closed };
}

async function partsOf(tools: ToolSet, name: string): Promise<unknown[]> {
  const { fullStream } = streamText({
    model: modelThatCalls(name, { to: 'ada' }),
    tools,
    prompt: 'go',
    onError: () => undefined,
  });
  const parts: unknown[] = [];
  for await (const part of fullStream) {
    if (part.type === 'tool-result') parts.push([part.preliminary ?? false, part.output]);
    if (part.type === 'tool-error') parts.push(part.error);
  }
  return parts;
}

describe('a tool of the AI SDK that streams', () => {
  it('yields its preliminary results, and is written once it has ended', async () => {
    await using world = await openWorld();
    const tools = world.withGate({ 'report.write': reportTool().made });
    expect(await partsOf(tools, 'report.write')).toEqual([
      [true, 'a'],
      [true, 'ab'],
      [true, 'abc'],
      [false, 'abc'],
    ]);
    expect(world.log()).toEqual(['intent report.write', 'succeeded report.write']);
  });

  it('does not begin when it is blocked', async () => {
    await using world = await openWorld();
    const { made, closed } = reportTool();
    const tools = world.withGate({ 'crm.wipe': made });
    expect(await partsOf(tools, 'crm.wipe')).toEqual([
      expect.objectContaining({ code: 'CORE_TOOL_DENIED' }),
    ]);
    expect(closed).toEqual([]);
    expect(world.governance.coverage().executed[3]).toBe(0);
  });

  it('is written as unknown when it breaks off, or when its reader leaves', async () => {
    await using world = await openWorld();
    const broken = world.withGate({ 'report.write': reportTool(['a', 'throw']).made });
    expect(await partsOf(broken, 'report.write')).toEqual([
      [true, 'a'],
      expect.objectContaining({ message: 'broke off' }),
    ]);
    const { made, closed } = reportTool();
    const left = world.withGate({ 'report.write': made })['report.write'];
    const options = { toolCallId: 'call-1', messages: [], context: undefined };
    const stream: unknown = Reflect.apply(Object(left).execute, left, [{ to: 'ada' }, options]);
    for await (const piece of iterableOf(stream)) {
      expect(piece).toBe('a');
      break;
    }
    expect(closed).toEqual([true]);
    expect(world.log()).toEqual([
      'intent report.write',
      'unknown report.write UNKNOWN',
      'intent report.write',
      'unknown report.write GOVERNANCE_STREAM_LEFT',
    ]);
  });

  it('is read at the pace of its reader', async () => {
    await using world = await openWorld();
    let made = 0;
    const { 'report.write': governed } = world.withGate({
      'report.write': tool({
        inputSchema: z.object({}),
        async *execute() {
          for (;;) yield (made += 1);
        },
      }),
    });
    const options = { toolCallId: 'call-1', messages: [], context: undefined };
    const stream: unknown = Reflect.apply(Object(governed).execute, governed, [{}, options]);
    expect(made).toBe(0);
    for await (const piece of iterableOf(stream)) if (piece === 3) break;
    expect(made).toBe(3);
  });
});

function iterableOf(value: unknown): AsyncIterable<unknown> {
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked at
    return value as AsyncIterable<unknown>;
  }
  throw new TypeError('This is no stream');
}
