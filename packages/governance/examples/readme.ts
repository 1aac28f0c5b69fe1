import { fileURLToPath } from 'node:url';
import { createGovernance, defaultPolicyFile } from '@buddy/governance';

const policy = fileURLToPath(defaultPolicyFile); // a file of YAML: copy it, and make it yours
await using governance = await createGovernance({ policy, database: ':memory:' });
const sendMail = async (to: string) => `sent to ${to}`;
const send = governance.govern(sendMail, { name: 'msgraph.mail.send', rationale: 'a demo' });

const refusal = await send('ada@example.com').catch((error) => error);
console.log(refusal.code, refusal.approvalId !== undefined); // CORE_APPROVAL_REQUIRED true
const olga = { id: 'olga', role: 'operator' } as const;
await governance.approvals.vote(refusal.approvalId, { by: olga, vote: 'approve', via: 'api' });
console.log(await send('ada@example.com')); // sent to ada@example.com
console.log(governance.audit.card(Date.now()).pendingApprovals); // 0
