import { defineTool, type Tool } from '@buddy/core';
import { createSandbox } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const pay = defineTool({
  name: 'pay',
  description: 'Pays.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: () => 'paid',
});

/** As JavaScript may hand it in, where no compiler looks. */
function without(changes: Record<string, unknown>): Tool {
  return Object.assign(Object.create(null), pay, changes);
}

describe('a tool that must not be handed to code', () => {
  it.each([undefined, null, 0, 5, 2.5, '3', '1', Number.NaN, {}])(
    'is one of the tier %s, which is none',
    async (tier) => {
      const made = createSandbox({ tools: [without({ tier })], allowUngoverned: true });
      await expect(made).rejects.toMatchObject({
        code: 'SANDBOX_TOOL_REFUSED',
        message: expect.stringMatching(/unknown tier .* tier 1, 2 or 3 .*: pay/),
        tools: ['pay'],
      });
    },
  );
  it.each([
    [{ name: undefined }, 'tools[1] is no tool: it lacks a usable name;'],
    [{ description: 7 }, 'pay is no tool: it lacks a usable description;'],
    [
      { input: undefined, output: { parse: () => 1 } },
      'pay is no tool: it lacks a usable input, output;',
    ],
    [{ execute: 'now' }, 'pay is no tool: it lacks a usable execute;'],
  ])('is one with %o, and is told what it lacks', async (changes, message) => {
    const first = Object.assign({}, pay, { name: 'first' });
    await expect(createSandbox({ tools: [first, without(changes)] })).rejects.toMatchObject({
      code: 'SANDBOX_TOOL_REFUSED',
      message: expect.stringContaining(message),
    });
  });
  it('is what is nothing at all', async () => {
    const nothing: Tool = JSON.parse('null');
    await expect(createSandbox({ tools: [nothing] })).rejects.toThrow(
      /expected a tool\s+→ at tools\[0\]/,
    );
  });
});
