import { loadPolicy } from '@buddy/governance';

const result = loadPolicy(
  `
version: 1
rules:
  - { id: small, when: { action: payments.refund, args: { amount: { max: 50 } } }, tier: 2, allow: true }
  - { id: large, when: { action: payments.refund, args: { amount: { min: 50 } } }, tier: 3, approve: { quorum: 2 } }
`,
  { source: 'policy.yaml' },
);
if (!result.ok) throw new Error(result.problems[0]?.message);
const request = {
  action: 'payments.refund',
  actor: { kind: 'agent', id: 'agent-1' },
  at: 0,
} as const;
const history = { hasDone: () => false };
console.log(result.policy.decide({ ...request, input: { amount: 40 } }, history).explanation);
console.log(result.policy.decide({ ...request, input: { amount: 900 } }, history).explanation);
