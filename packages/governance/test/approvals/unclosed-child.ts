import { createGovernance, defaultPolicyFile } from '@buddy/governance';

/* Leaves a request waiting for four hours, and closes nothing. */
const governance = await createGovernance({
  policy: defaultPolicyFile.pathname,
  database: process.argv[2] ?? '',
  followPolicy: false,
});
const send = governance.govern(async () => 'sent', {
  name: 'msgraph.mail.send',
  tier: 3,
  rationale: 'asked by the test',
});
await send().catch((error: unknown) => process.stdout.write(String(error)));
