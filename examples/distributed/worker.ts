import process from 'node:process';
import { createDbosEngine } from '@buddy/agents/dbos';
import { AGENTS, writeLetter } from './desk.ts';

/* One machine of many: makes calls of tools for whoever plans them. `DATABASE_URL=… BUDDY_ENGINE=… node worker.ts WORKER` */

const engine = createDbosEngine({
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  name: process.env['BUDDY_ENGINE'],
  takes: ['calls'],
  callsAtOnce: 4,
  pollMs: 50,
});
engine.register({
  workflows: {},
  tools: [writeLetter],
  lanes: Object.fromEntries(AGENTS.map(({ id, capacity }) => [id, capacity])),
});
await engine.open();
process.stdout.write('ready\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void engine.close());
