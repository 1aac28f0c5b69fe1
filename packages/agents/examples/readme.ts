import { createHarness } from '@buddy/agents';
import { defineTool } from '@buddy/core';
import { z } from 'zod';

const greet = defineTool({
  name: 'desk.visitors.greet',
  description: 'Greets a visitor.',
  tier: 1,
  input: z.strictObject({ name: z.string().min(1) }),
  output: z.string(),
  execute: ({ name }) => `Welcome, ${name}!`,
});
const harness = createHarness({ maxAttempts: 2 }, { tools: [greet] });
await harness.load('examples/predictions');
console.log((await harness.run()).counts);
