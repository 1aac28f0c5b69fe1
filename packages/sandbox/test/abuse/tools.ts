import { defineTool, type Tool } from '@buddy/core';
import { z } from 'zod';
import { richOutput } from './rich-output.ts';

/** The tools that every lane hands out. Some know a secret, and do not mean to tell it. */
export function abusedTools(secret: string): readonly Tool[] {
  return [
    tool('echo', (input) => input),
    tool('fail', () => {
      const cause = new Error(secret);
      throw Object.assign(new Error('The order is unknown', { cause }), { secret });
    }),
    tool('rich', () => richOutput(secret)),
    tool(
      'wait',
      (_input, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    ),
    tool('crm.find', (input) => input),
  ];
}

function tool(name: string, execute: (input: unknown, signal: AbortSignal) => unknown): Tool {
  return defineTool({
    name,
    description: `Does ${name}.`,
    tier: 1,
    input: z.unknown(),
    output: z.unknown(),
    execute: (input, { signal }) => execute(input, signal),
  });
}
