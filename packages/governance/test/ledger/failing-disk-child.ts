import { rmSync, writeFileSync } from 'node:fs';
import { defineTool, describeFailure, toolContext } from '@buddy/core';
import { createGovernance } from '@buddy/governance';
import { z } from 'zod';

/*
 * Three calls of a tool of tier 2 on a disk that works, three while waiting for the disk fails, three after. Says what became
 * of each, how often the tool was run, and what verifies the log.
 */
const [, , policy = '', database = '', failing = ''] = process.argv;

const governance = await createGovernance({ policy, database, followPolicy: false });
let runs = 0;
const tool = governance.govern(
  defineTool({
    name: 'crm.contacts.update',
    description: 'Does it.',
    tier: 2,
    input: z.object({}),
    output: z.string(),
    execute: () => {
      runs += 1;
      return 'done';
    },
  }),
);

const call = (key: string): Promise<string> =>
  tool
    .execute(
      {},
      toolContext({
        actor: { kind: 'agent', id: 'ada' },
        rationale: 'planned',
        idempotencyKey: key,
      }),
    )
    .then(String, (error: unknown) => describeFailure(error).code);

const threeTimes = async (name: string): Promise<string[]> => {
  const ends: string[] = [];
  for (let n = 0; n < 3; n += 1) ends.push(await call(`${name}-${n}`));
  return ends;
};

const before = await threeTimes('before');
writeFileSync(failing, '');
const during = await threeTimes('during');
const runsBlocked = runs - before.length;
rmSync(failing);
const after = await threeTimes('after');
const { verifierKey } = governance.ledger;
await governance.close();
process.stdout.write(JSON.stringify({ before, during, runsBlocked, after, runs, verifierKey }));
