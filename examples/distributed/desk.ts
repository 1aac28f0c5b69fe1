import { setTimeout as sleep } from 'node:timers/promises';
import process from 'node:process';
import { defineTool } from '@buddy/core';
import { z } from 'zod';

/** What every process of the example has to know, whichever part it takes. */
export const AGENTS = ['ada', 'bob', 'cy', 'dee'].map((id) => ({ id, capacity: 2 }));

/** Writing a letter twice under one key leaves one letter: that is what `keyed` says. */
export const writeLetter = defineTool({
  name: 'desk.letters.write',
  description: 'Writes a letter to a visitor.',
  tier: 1,
  effect: 'keyed',
  input: z.strictObject({ to: z.string() }),
  output: z.strictObject({ letter: z.string(), writtenBy: z.string() }),
  execute: async ({ to }, { signal }) => {
    await sleep(100, undefined, { signal });
    return { letter: `Dear ${to}`, writtenBy: process.argv[2] ?? 'the planner' };
  },
});
