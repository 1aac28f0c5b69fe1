import { z } from 'zod';
import type { Turn } from '../children/engine-waves.ts';
import type { WavePlan } from '../children/engines/wave-plan.ts';
import type { Figure, Target } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';
import { Child } from './engine-child.ts';
import { probeFsync } from './engine-fsync.ts';
import { type Postgres, type Redis, type Server, tryPostgres, tryRedis } from './engine-servers.ts';

const PROGRAM = new URL('../children/engine-waves.ts', import.meta.url);
const PLAN: WavePlan = { waves: 2, width: 80 };
const WARM_UP: WavePlan = { waves: 1, width: 40 };
const ROUNDS = 5;
const WARM_UPS = 1;

interface Candidate {
  name: string;
  label: string;
  /** How often it does the plan in a turn, so that a turn takes a second or so. */
  times: number;
  needs?: 'postgres' | 'redis';
  isPeer?: boolean;
}

const JOURNAL = 'buddy-journal';
const DBOS = 'dbos';

const CANDIDATES: readonly Candidate[] = [
  { name: JOURNAL, label: 'embedded engine, FULL', times: 20 },
  {
    name: 'commit-per-record',
    label: 'node:sqlite, FULL, a commit per record',
    times: 1,
    isPeer: true,
  },
  { name: 'openworkflow', label: 'OpenWorkflow on SQLite, FULL', times: 1, isPeer: true },
  {
    name: 'pg-boss',
    label: 'pg-boss on Postgres, fsync',
    times: 10,
    needs: 'postgres',
    isPeer: true,
  },
  {
    name: 'bullmq',
    label: 'BullMQ on Redis, fsync each second',
    times: 5,
    needs: 'redis',
    isPeer: true,
  },
  {
    name: DBOS,
    label: 'DBOS by hand, a task is a step on a queue',
    times: 1,
    needs: 'postgres',
    isPeer: true,
  },
  {
    name: 'dbos-lanes',
    label: 'DBOS by hand, a task is a workflow and its call one on a queue',
    times: 1,
    needs: 'postgres',
    isPeer: true,
  },
  { name: 'buddy-dbos-steps', label: 'DBOS adapter, no lane', times: 1, needs: 'postgres' },
  { name: 'buddy-dbos', label: 'DBOS adapter, a lane', times: 1, needs: 'postgres' },
];

const PROMISES: readonly { of: string; to: string; name: string; target: Target }[] = [
  promise(JOURNAL, 'openworkflow', 'embedded / OpenWorkflow', 15),
  promise(JOURNAL, DBOS, 'embedded / DBOS', 20),
  promise(JOURNAL, 'pg-boss', 'embedded / pg-boss', 2.5),
  promise(JOURNAL, 'bullmq', 'embedded / BullMQ', 1),
  promise(JOURNAL, 'commit-per-record', 'embedded / a commit per record', 4),
  promise('buddy-dbos-steps', DBOS, 'DBOS adapter / DBOS by hand, calls as steps', 0.8),
  promise('buddy-dbos', 'dbos-lanes', 'DBOS adapter / DBOS by hand, calls on a queue', 0.8),
];

function promise(of: string, to: string, name: string, value: number) {
  return { of, to, name, target: { is: 'at least', value } } as const;
}

/** The same waves of tasks that do nothing, by each engine in turn. */
export async function measureEngine(): Promise<Figure[]> {
  const postgres = await tryPostgres();
  const redis = await tryRedis();
  try {
    return await race(postgres, redis);
  } finally {
    if (postgres.isThere) await postgres.stop();
    if (redis.isThere) await redis.stop();
  }
}

async function race(postgres: Server<Postgres>, redis: Server<Redis>): Promise<Figure[]> {
  const absences = { postgres: whyAbsent(postgres), redis: whyAbsent(redis) };
  const running = new Map<Candidate, Child>();
  try {
    for (const candidate of CANDIDATES) {
      const { name, needs } = candidate;
      if (needs && absences[needs] !== undefined) continue;
      const databaseUrl =
        needs === 'postgres' && postgres.isThere
          ? await postgres.createDatabase(name.replaceAll('-', '_'))
          : '';
      const port = redis.isThere ? redis.port : 0;
      running.set(candidate, await Child.start(PROGRAM, [name, databaseUrl, String(port)]));
    }
    const { rates, syncs } = await takeTurns(running);
    return figures(rates, syncs, absences);
  } finally {
    for (const child of running.values()) await child.end();
  }
}

function whyAbsent(server: Server<object>): string | undefined {
  return server.isThere ? undefined : server.why;
}

/** Who is first turns too. */
async function takeTurns(running: ReadonlyMap<Candidate, Child>) {
  const rates = new Map([...running.keys()].map(({ name }) => [name, [] as number[]]));
  const syncs: number[] = [];
  for (let round = -WARM_UPS; round < ROUNDS; round += 1) {
    const order = [...running];
    order.push(...order.splice(0, (round + WARM_UPS) % order.length));
    if (round >= 0) syncs.push(probeFsync());
    for (const [{ name, times }, child] of order) {
      const turn: Turn = round < 0 ? { plan: WARM_UP, times: 1 } : { plan: PLAN, times };
      const ms = z.number().parse(await child.ask(turn));
      if (round >= 0) rates.get(name)?.push((times * PLAN.waves * PLAN.width * 1_000) / ms);
    }
  }
  return { rates, syncs };
}

function figures(
  rates: ReadonlyMap<string, readonly number[]>,
  syncs: readonly number[],
  absences: Readonly<Record<'postgres' | 'redis', string | undefined>>,
): Figure[] {
  const { waves, width } = PLAN;
  return [
    ...CANDIDATES.map(({ name, label, needs, isPeer = false }): Figure => {
      const values = rates.get(name);
      const row = { name: `${label}: ${waves} waves of ${width}`, unit: 'tasks/s', isPeer };
      if (values) return { ...row, ...summary(values) };
      const why = needs ? absences[needs] : undefined;
      return { ...row, measured: Number.NaN, outcome: `skipped, ${why}` };
    }),
    ...PROMISES.map(({ of, to, name, target }): Figure => {
      const [ours, theirs] = [rates.get(of), rates.get(to)];
      if (!ours || !theirs) return { name, unit: 'x', measured: Number.NaN, outcome: 'skipped' };
      // Round by round, for the disk is not the same for two rounds.
      const ratios = ours.map((rate, round) => rate / (theirs[round] ?? NaN));
      return { name, unit: 'x', ...summary(ratios), target };
    }),
    {
      name: 'the disk: 4 kB appended and synced, one after the other',
      unit: '/s',
      ...summary(syncs),
      isPeer: true,
    },
  ];
}
