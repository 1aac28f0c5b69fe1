import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createHarness } from '@buddy/agents';
import { createDbosEngine } from '@buddy/agents/dbos';
import { startPostgres } from '@buddy/agents/testing';
import { randomId } from '@buddy/core';
import { z } from 'zod';
import { AGENTS, writeLetter } from './distributed/desk.ts';

/*
 * One run over many processes: this one plans, the workers make the calls. In the middle one worker is killed, and the others
 * go on with what it had in hand. `npx -y pnpm@12 example:distributed --workers 3 --tasks 60`
 *
 * DATABASE_URL names the Postgres; without it one is started here, and removed at the end.
 */

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '3' },
    tasks: { type: 'string', default: '60' },
  },
});
const { workers: count, tasks } = z
  .object({ workers: z.coerce.number().int().min(2), tasks: z.coerce.number().int().min(1) })
  .parse(values);

const given = process.env['DATABASE_URL'];
const postgres = given === undefined ? await startPostgres() : undefined;
const databaseUrl = given ?? postgres?.url ?? '';
console.log(postgres ? 'Started a Postgres of our own' : 'Found a Postgres in DATABASE_URL');

// Of this run alone: what others do in the same database is none of ours.
const name = randomId('distributed')();
const names = Array.from({ length: count }, (_, n) => `worker-${n + 1}`);
const workers = new Map(names.map((worker) => [worker, startWorker(worker)]));
await Promise.all([...workers.values()].map((worker) => once(worker.stdout ?? worker, 'data')));
console.log(`${count} workers are ready`);

const harness = createHarness(
  { agents: AGENTS, controlShare: 0 },
  {
    tools: [writeLetter],
    engine: createDbosEngine({ databaseUrl, name, takes: ['workflows'], pollMs: 50 }),
  },
);
const written = new Map<string, number>();
let settled = 0;
harness.events.on('taskSettled', ({ output }) => {
  settled += 1;
  const { writtenBy } = writeLetter.output.parse(output);
  written.set(writtenBy, (written.get(writtenBy) ?? 0) + 1);
  if (settled !== Math.ceil(tasks / 3)) return;
  console.log(`${settled} letters are written; worker-1 is killed`);
  workers.get('worker-1')?.kill('SIGKILL');
});
await harness.load({
  tasks: Array.from(
    { length: tasks },
    (_, n) =>
      `${JSON.stringify({
        task_id: `t${n + 1}`,
        predicted_success_probability: 0.9,
        action: writeLetter.name,
        input: { to: `visitor ${n + 1}` },
      })}\n`,
  ),
});
const { status, counts, startedAt, endedAt } = await harness.run();
for (const worker of names) console.log(`${worker} wrote ${written.get(worker) ?? 0} letters`);
console.log(
  `${status}: ${counts.completed} of ${tasks} in ${((endedAt - startedAt) / 1_000).toFixed(1)} s`,
);

await harness.close();
for (const worker of workers.values()) await stop(worker);
await postgres?.stop();

function startWorker(worker: string): ChildProcess {
  const file = fileURLToPath(new URL('distributed/worker.ts', import.meta.url));
  return spawn(process.execPath, ['--conditions=@buddy/source', file, worker], {
    env: { ...process.env, DATABASE_URL: databaseUrl, BUDDY_ENGINE: name },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGTERM');
  await once(worker, 'exit');
}
