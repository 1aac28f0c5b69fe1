import { defineTool } from '@buddy/core';
import { createSandbox } from '@buddy/sandbox';
import { z } from 'zod';

const price = defineTool({
  name: 'shop.price',
  description: 'Looks up a price in euro.',
  tier: 1,
  input: z.strictObject({ item: z.string() }),
  output: z.number(),
  execute: ({ item }) => (item === 'tea' ? 4 : 7),
});
await using sandbox = await createSandbox({ tools: [price] });
const result = await sandbox.run('3 * (await tools.shop.price({ item: input }))', { input: 'tea' });
console.log(result.toModelText()); // Result: 12
