import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { createEngine, openJournal, type Workflow } from '../../packages/agents/src/index.ts';
import { defineTool } from '../../packages/core/src/index.ts';

/*
 * What workflows cost that wait for a person: prints what they add to the memory of this process, and how many commits there
 * are while nothing happens. Then it begins a call and waits to be killed; begun again over the same folder, it prints when
 * that call was made again, in ms from the opening of the journal.
 */
const [, , folder = '', count = '0', idleMs = '0'] = process.argv;
mkdirSync(folder, { recursive: true });
const file = `${folder}/journal.db`;
const HOURS_72 = 72 * 3_600_000;
const WARM_UPS = 500;
const LOOK_MS = 20;

const ask: Workflow = (ctx) => ctx.waitFor('verdict', { key: 'verdict', timeoutMs: HOURS_72 });
const work: Workflow = (ctx) =>
  ctx.activity({
    key: 'call',
    tool: 'bench.call',
    input: null,
    work: ctx.id,
    actor: { kind: 'system', id: 'bench' },
    rationale: 'A call that is interrupted',
    attempt: 1,
  });
const called = Promise.withResolvers<void>();
const tool = defineTool({
  name: 'bench.call',
  description: 'Never answers',
  tier: 1,
  effect: 'pure',
  input: z.unknown(),
  output: z.null(),
  execute: () => {
    called.resolve();
    return new Promise<never>(() => undefined);
  },
});

const openedAt = performance.now();
const engine = createEngine({ store: openJournal({ file }) });
engine.register({ workflows: { ask, work }, tools: [tool], lanes: {} });
const { resumed } = await engine.open();
await (resumed > 0 ? measureRestart() : measureWaiting());

async function measureRestart(): Promise<void> {
  await called.promise;
  print({ resumed, firstCallMs: performance.now() - openedAt });
  process.exit(0); // the call never ends
}

async function measureWaiting(): Promise<void> {
  await start(0, WARM_UPS); // what is compiled and loaded by then is not counted
  const before = await memoryMb();
  await start(WARM_UPS, WARM_UPS + Number(count));
  await wait(500);
  const after = await memoryMb();
  const idleCommits = await commitsWithin(Number(idleMs));
  await engine.signal('approval/0', 'verdict', 'yes', { key: 'k' });
  const result = await engine.result('approval/0');
  if (result.kind !== 'completed') throw new Error('Who waits cannot be reached');
  await engine.start('interrupted', 'work', null);
  await called.promise;
  print({
    heapMb: after.heap - before.heap,
    residentMb: after.resident - before.resident,
    idleCommits,
  });
  await wait(60_000); // to be killed
}

/** By so many at once, as agents would. */
async function start(from: number, to: number): Promise<void> {
  let next = from;
  const one = async () => {
    while (next < to) {
      const n = next++;
      await engine.start(`approval/${n}`, 'ask', { task: `task-${n}`, why: 'It leaves the house' });
    }
  };
  await Promise.all(Array.from({ length: 64 }, one));
}

async function memoryMb(): Promise<{ heap: number; resident: number }> {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.();
    await wait(50);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, resident: rss / 2 ** 20 };
}

/** As another connection sees them. */
async function commitsWithin(ms: number): Promise<number> {
  const watcher = new DatabaseSync(file, { readOnly: true });
  const version = watcher.prepare('PRAGMA data_version');
  let commits = 0;
  let last = version.get()?.['data_version'];
  const look = () => {
    const now = version.get()?.['data_version'];
    if (now !== last) commits += 1;
    last = now;
  };
  for (let left = ms; left > 0; left -= LOOK_MS) {
    await wait(LOOK_MS);
    look();
  }
  const idle = commits;
  await engine.start(`seen/${ms}`, 'ask', null);
  look();
  watcher.close();
  if (commits === idle) throw new Error('A commit was not seen');
  return idle;
}

function print(figures: object): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
