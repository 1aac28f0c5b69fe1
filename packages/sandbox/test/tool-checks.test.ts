import { defineTool, markSelfChecking, type Tool, type ToolContext } from '@buddy/core';
import { createSandbox } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

interface Trusting {
  tool: Tool;
  /** What it was called with. */
  given: unknown[];
}

/** A tool made by hand, which does what it is told and checks nothing. */
function trusting(
  { input, output }: Pick<Tool, 'input' | 'output'>,
  act: (input: unknown, context: ToolContext) => unknown,
): Trusting {
  const given: unknown[] = [];
  const tool: Tool = {
    name: 'shop.order',
    description: 'Orders.',
    tier: 2,
    effect: 'once',
    input,
    output,
    execute: async (order, context) => {
      given.push(order);
      return act(order, context);
    },
  };
  return { tool, given };
}

const Order = z.object({ item: z.string(), count: z.int().default(1) });

describe('a tool that trusts its input', () => {
  it('is called with what its schema makes of the input, and nothing more', async () => {
    const { tool, given } = trusting({ input: Order, output: z.string() }, () => 'done');
    await using sandbox = await createSandbox({ tools: [tool] });
    expect(
      await sandbox.run('await tools.shop.order({ item: "tea", isAdmin: true })'),
    ).toMatchObject({ status: 'ok', value: 'done' });
    expect(given).toEqual([{ item: 'tea', count: 1 }]);
  });
  it('is not called with what does not fit; the program hears where, what was expected and what was given', async () => {
    const { tool, given } = trusting({ input: Order, output: z.string() }, () => 'done');
    await using sandbox = await createSandbox({ tools: [tool], limits: { maxToolCalls: 2 } });
    const code = 'try { await tools.shop.order({ item: 7 }) } catch (e) { [e.name, e.message] }';
    const result = await sandbox.run(code);
    expect(result).toMatchObject({
      status: 'ok',
      value: ['ToolInputError', expect.stringMatching(/expected string, received number.*item/s)],
      calls: [{ tool: 'shop.order', status: 'error' }],
    });
    expect(given).toEqual([]);
    expect(await sandbox.run(`for (;;) ${code}`)).toMatchObject({
      status: 'limit',
      limit: { kind: 'toolCalls', allowed: 2 },
    });
  });
  it('cannot answer what its schema does not allow', async () => {
    const { tool } = trusting({ input: Order, output: z.object({ id: z.string() }) }, () => ({
      id: 7,
      secret: 'secret-3f81',
    }));
    await using sandbox = await createSandbox({ tools: [tool] });
    const result = await sandbox.run('await tools.shop.order({ item: "tea" })');
    expect(result).toMatchObject({
      status: 'error',
      error: { name: 'ToolOutputError', message: expect.stringContaining('was done') },
    });
    expect(JSON.stringify(result)).not.toContain('secret-3f81');
  });
  it('answers no more than its schema names', async () => {
    const { tool } = trusting({ input: Order, output: z.object({ id: z.string() }) }, () => ({
      id: 'a',
      secret: 'secret-3f81',
    }));
    await using sandbox = await createSandbox({ tools: [tool] });
    expect(await sandbox.run('await tools.shop.order({ item: "tea" })')).toMatchObject({
      value: { id: 'a' },
    });
  });
  it('may have schemas that are asynchronous', async () => {
    const { tool, given } = trusting(
      {
        input: z.string().refine(async (item) => item === 'tea', 'is not in stock'),
        output: z.string().transform(async (text) => text.toUpperCase()),
      },
      () => 'done',
    );
    await using sandbox = await createSandbox({ tools: [tool] });
    expect(await sandbox.run('await tools.shop.order("tea")')).toMatchObject({ value: 'DONE' });
    expect(await sandbox.run('await tools.shop.order("milk")')).toMatchObject({
      error: { name: 'ToolInputError', message: expect.stringContaining('is not in stock') },
    });
    expect(given).toEqual(['tea']);
  });
});

describe('a schema that transforms', () => {
  const schemas = {
    input: z.string().transform((text) => text.length),
    output: z.number().transform((n) => `${n}!`),
  };

  it('is applied once, by defineTool or else by the sandbox', async () => {
    const defined: Tool = defineTool({
      name: 'defined',
      description: 'Doubles a length.',
      tier: 1,
      ...schemas,
      execute: (length) => length * 2,
    });
    const wrapped: Tool = {
      ...defined,
      name: 'wrapped',
      execute: markSelfChecking(
        (input: unknown, context: ToolContext) => defined.execute(input, context),
        defined,
      ),
    };
    const { tool } = trusting(schemas, (length) => Number(length) * 2);
    await using sandbox = await createSandbox({ tools: [defined, wrapped, tool] });
    expect(
      await sandbox.run(
        '[await tools.defined("abc"), await tools.wrapped("abc"), await tools.shop.order("abc")]',
      ),
    ).toMatchObject({ status: 'ok', value: ['6!', '6!', '6!'] });
  });
});
