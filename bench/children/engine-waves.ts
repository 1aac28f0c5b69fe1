import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Calls, type EnginePlace, type WaveEngine, type WavePlan } from './engines/wave-plan.ts';

/** What this process is asked for: to run the plan so many times over, in an engine that is opened for it. */
export interface Turn {
  plan: WavePlan;
  times: number;
}

type Open = (place: EnginePlace, calls: Calls) => Promise<WaveEngine>;

const ENGINES: Record<string, () => Promise<Open>> = {
  'buddy-journal': async () => (await import('./engines/buddy-journal.ts')).openBuddyJournal,
  'buddy-dbos': async () => (await import('./engines/buddy-dbos.ts')).openBuddyDbos,
  'commit-per-record': async () =>
    (await import('./engines/commit-per-record.ts')).openCommitPerRecord,
  openworkflow: async () => (await import('./engines/openworkflow.ts')).openOpenWorkflow,
  'buddy-dbos-steps': async () => (await import('./engines/buddy-dbos.ts')).openBuddyDbosSteps,
  'dbos-lanes': async () => (await import('./engines/dbos.ts')).openDbosLanes,
  dbos: async () => (await import('./engines/dbos.ts')).openDbos,
  'pg-boss': async () => (await import('./engines/pg-boss.ts')).openPgBoss,
  bullmq: async () => (await import('./engines/bullmq.ts')).openBullMq,
};

// Started by benches/engine.ts with a name, a database's URL and a port; takes its turns when it is told to.
const [, , name = '', databaseUrl = '', redisPort = '0'] = process.argv;
const load = ENGINES[name];
if (!load) throw new Error(`There is no engine ${name}`);
const open = await load();

process.on('message', (turn: Turn) => {
  // What is thrown ends the process, and so the bench.
  void take(turn).then((ms) => process.send?.(ms));
});
process.send?.('ready');

/** A wave first that is not timed, so that connections and threads are there. */
async function take({ plan, times }: Turn): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-engine-'));
  const calls = new Calls();
  const engine = await open({ folder, databaseUrl, redisPort: Number(redisPort) }, calls);
  try {
    const at = Date.now(); // no turn before had these ids
    await engine.run(`first-${at}`, { waves: 1, width: 10 });
    globalThis.gc?.();
    const before = calls.count;
    const startedAt = performance.now();
    for (let nth = 0; nth < times; nth += 1) await engine.run(`plan-${at}-${nth}`, plan);
    const ms = performance.now() - startedAt;
    const made = calls.count - before;
    const wanted = times * plan.waves * plan.width;
    if (made !== wanted) throw new Error(`${name} made ${made} calls, and not ${wanted}`);
    return ms;
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}
