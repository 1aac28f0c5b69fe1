import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { createDbosEngine } from '../../packages/agents/src/dbos/index.ts';
import { defineTool } from '../../packages/core/src/index.ts';
import { planWith } from './engines/buddy-plan.ts';

// Started by benches/engine-failover.ts with a database and how long a call takes; one of two that share the work.
const [, , databaseUrl = '', callMs = '0'] = process.argv;
const call = defineTool({
  name: 'bench.call',
  description: 'Takes its time',
  tier: 1,
  effect: 'keyed',
  input: z.unknown(),
  output: z.null(),
  execute: async (_input, { taskId }) => {
    tell('begun', taskId);
    await wait(Number(callMs));
    tell('done', taskId);
    return null;
  },
});
const engine = createDbosEngine({ databaseUrl });
engine.register(planWith(call, { slots: 10 }));
await engine.open();
tell('open');
process.once('SIGTERM', () => void engine.close());

/** At once: a process that is killed has told what it did. */
function tell(what: string, taskId = ''): void {
  writeSync(1, `${what} ${taskId}\n`);
}
