import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDbosEngine } from '../../packages/agents/src/dbos/index.ts';
import { completed, toolThat } from '../children/engines/buddy-engine.ts';
import { planWith } from '../children/engines/buddy-plan.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';
import { type Postgres, tryPostgres } from './engine-servers.ts';

const ROUNDS = 3;
const TASKS = 60;
const CALL_MS = 400;
/** So many are done when one of the two is killed. */
const KILL_AFTER = 20;
/** And so many are in its hand. */
const IN_HAND = 3;
const PROGRAM = fileURLToPath(new URL('../children/engine-worker.ts', import.meta.url));

const FAILOVER = 'kill -9 of one of two workers, until all that it had in hand is under way again';

/** Two processes share a plan over one Postgres, with the options that they have when nobody sets any; one is killed. */
export async function measureEngineFailover(): Promise<Figure[]> {
  const postgres = await tryPostgres();
  if (!postgres.isThere) {
    return [{ name: FAILOVER, unit: 's', measured: NaN, outcome: `skipped, ${postgres.why}` }];
  }
  try {
    const failovers: Failover[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      failovers.push(await failOver(postgres, `failover_${round}`));
    }
    const of = (part: (failover: Failover) => number) => summary(failovers.map(part));
    return [
      {
        name: FAILOVER,
        unit: 's',
        ...of(({ lastMs }) => lastMs / 1_000),
        target: { is: 'at most', value: 3 },
      },
      { name: 'until the first of it is', unit: 's', ...of(({ firstMs }) => firstMs / 1_000) },
      { name: 'calls that it had in hand', unit: '', ...of(({ inHand }) => inHand) },
      {
        name: `of ${TASKS} tasks, lost`,
        unit: '',
        ...of(({ lost }) => lost),
        target: { is: 'at most', value: 0 },
      },
    ];
  } finally {
    await postgres.stop();
  }
}

interface Failover {
  firstMs: number;
  lastMs: number;
  inHand: number;
  lost: number;
}

async function failOver(postgres: Postgres, database: string): Promise<Failover> {
  const databaseUrl = await postgres.createDatabase(database);
  const workers = [await Worker.start(databaseUrl), await Worker.start(databaseUrl)] as const;
  const [victim, survivor] = workers;
  const client = createDbosEngine({ databaseUrl, takes: [] });
  client.register(
    planWith(
      toolThat(async () => null),
      { slots: 10 },
    ),
  );
  await client.open();
  try {
    const plan = completed(client, 'plan', 'plan', { waves: 1, width: TASKS });
    while (victim.done.size + survivor.done.size < KILL_AFTER || victim.inHand.size < IN_HAND) {
      await wait(1);
    }
    const killedAt = performance.now();
    await victim.kill();
    const inHand = [...victim.inHand];
    await plan;
    const delays = inHand.map((taskId) => (survivor.begunAt.get(taskId) ?? NaN) - killedAt);
    const done = new Set([...victim.done, ...survivor.done]);
    return {
      firstMs: Math.min(...delays),
      lastMs: Math.max(...delays),
      inHand: inHand.length,
      lost: TASKS - done.size,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await client.close();
  }
}

/** A worker's process, and what it has told of its calls. */
class Worker {
  readonly begunAt = new Map<string, number>();
  readonly inHand = new Set<string>();
  readonly done = new Set<string>();
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(databaseUrl: string): Promise<Worker> {
    const args = ['--conditions=@buddy/source', PROGRAM, databaseUrl, String(CALL_MS)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const worker = new Worker(child);
    await Promise.race([
      worker.#listen(),
      once(child, 'exit').then(([code]) => {
        throw new Error(`A worker ended with ${String(code)} before it was open`);
      }),
    ]);
    return worker;
  }

  /** Resolves when it is open. */
  #listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#process.stdout) throw new Error('Nothing can be heard of it');
    createInterface(this.#process.stdout).on('line', (line) => {
      const [what, taskId = ''] = line.split(' ');
      if (what === 'open') resolve();
      if (what === 'begun') {
        this.begunAt.set(taskId, performance.now());
        this.inHand.add(taskId);
      }
      if (what === 'done') {
        this.inHand.delete(taskId);
        this.done.add(taskId);
      }
    });
    return promise;
  }

  /** Resolves when it is gone and all that it told has been heard. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
