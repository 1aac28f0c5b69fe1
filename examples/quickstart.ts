import { createHarness } from '@buddy/agents';
import { defineTool } from '@buddy/core';
import { z } from 'zod';

// What agents can do: one tool. Tier 1 only looks, and `pure` says that trying again does no harm.
const checkStock = defineTool({
  name: 'shop.stock.check',
  description: 'Tells how many of a product are left.',
  tier: 1,
  effect: 'pure',
  input: z.strictObject({ product: z.string() }),
  output: z.object({ left: z.int() }),
  execute: ({ product }) => ({ left: product.length }),
});

// What a predictor expects: a task each line, as in a file of JSON Lines.
const predictions = [
  '{"task_id":"t1","predicted_success_probability":0.9,"action":"shop.stock.check","input":{"product":"lamp"}}\n',
  '{"task_id":"t2","predicted_success_probability":0.8,"action":"shop.stock.check","input":{"product":42}}\n',
];

const harness = createHarness({ agents: [{ id: 'ada' }] }, { tools: [checkStock] });
harness.events.on('taskSettled', ({ outcome: { taskId, status, failure }, output }) =>
  console.log(taskId, status, failure?.code ?? output),
);
await harness.load({ tasks: predictions });
const { status, counts } = await harness.run();
console.log(`${status}: ${counts.completed} completed, ${counts.failed} failed`);
await harness.close();
