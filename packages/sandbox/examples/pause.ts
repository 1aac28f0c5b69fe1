import { ApprovalRequiredError, defineTool } from '@buddy/core';
import { createSandbox } from '@buddy/sandbox';
import { z } from 'zod';

let isApproved = false;
const pay = defineTool({
  name: 'pay',
  description: 'Pays, once a person agreed.',
  tier: 2,
  input: z.number(),
  output: z.string(),
  execute: (sum) => {
    if (!isApproved) throw new ApprovalRequiredError('pay', 'approval-1');
    return `paid ${sum}`;
  },
});
await using sandbox = await createSandbox({ tools: [pay] });
const paused = await sandbox.run('await tools.pay(12)');
if (paused.status === 'paused') {
  console.log(paused.pending); // [ { tool: 'pay', input: 12, approvalId: 'approval-1' } ]
  isApproved = true; // a person's answer; the token can wait for it in a database
  const resumed = await sandbox.resume(paused.token);
  console.log(resumed.toModelText()); // Result: "paid 12"
}
