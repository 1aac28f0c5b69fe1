import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import { createEngine, openJournal } from '../../packages/agents/src/index.ts';
import { completed, toolThat } from './engines/buddy-engine.ts';
import { planWith } from './engines/buddy-plan.ts';
import { SLOTS } from './engines/wave-plan.ts';

/** What this process is asked for. */
export type PaceTurn =
  /** So many tasks of so many milliseconds, all at once; how long until all have ended, in milliseconds. */
  | { kind: 'wall'; tasks: number; taskMs: number }
  /** So many tasks a second for so long; the delays of the event loop meanwhile, p50 and p99, in milliseconds. */
  | { kind: 'delay'; perSecond: number; seconds: number; taskMs: number };

/** Runs tasks that take their time. */
interface Pace {
  runAll(tasks: number, taskMs: number): Promise<void>;
  runOne(nth: number, taskMs: number): Promise<void>;
  close(): Promise<void>;
}

const PACES: Record<string, () => Promise<Pace>> = {
  buddy: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-pace-'));
    const engine = createEngine({ store: openJournal({ file: join(folder, 'journal.db') }) });
    let ms = 0;
    engine.register(planWith(toolThat(() => wait(ms, null))));
    await engine.open();
    return {
      runAll: (tasks, taskMs) => {
        ms = taskMs;
        return completed(engine, 'plan', 'plan', { waves: 1, width: tasks });
      },
      runOne: (nth, taskMs) => {
        ms = taskMs;
        return completed(engine, `task-${nth}`, 'task', nth);
      },
      close: async () => {
        await engine.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  'p-queue': async () => {
    const queue = new PQueue({ concurrency: SLOTS });
    const runOne = (_nth: number, taskMs: number) => queue.add(() => wait(taskMs));
    return {
      runAll: async (tasks, taskMs) => {
        await Promise.all(Array.from({ length: tasks }, (_, nth) => runOne(nth, taskMs)));
      },
      runOne,
      close: async () => undefined,
    };
  },
};

// Started by benches/engine-pace.ts with a name; takes its turns when it is told to.
const open = PACES[process.argv[2] ?? ''];
if (!open) throw new Error(`There is no ${process.argv[2]}`);
process.on('message', (turn: PaceTurn) => {
  // What is thrown ends the process, and so the bench.
  void take(turn, open).then((numbers) => process.send?.(numbers));
});
process.send?.('ready');

async function take(turn: PaceTurn, openPace: () => Promise<Pace>): Promise<number[]> {
  const pace = await openPace();
  try {
    await pace.runOne(-1, 1); // so that threads are there
    globalThis.gc?.();
    return turn.kind === 'wall' ? [await timeAll(pace, turn)] : await watchLoop(pace, turn);
  } finally {
    await pace.close();
  }
}

async function timeAll(pace: Pace, { tasks, taskMs }: PaceTurn & { kind: 'wall' }) {
  const startedAt = performance.now();
  await pace.runAll(tasks, taskMs);
  return performance.now() - startedAt;
}

async function watchLoop(
  pace: Pace,
  { perSecond, seconds, taskMs }: PaceTurn & { kind: 'delay' },
): Promise<number[]> {
  const running: Promise<void>[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  delay.enable();
  while (elapsed() < seconds * 1_000) {
    const due = Math.floor((elapsed() / 1_000) * perSecond);
    while (running.length < due) running.push(pace.runOne(running.length, taskMs));
    await wait(1);
  }
  delay.disable();
  await Promise.all(running);
  const took = elapsed();
  return [delay.percentile(50) / 1e6, delay.percentile(99) / 1e6, (running.length * 1_000) / took];
}
