import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../packages/core/src/index.ts';
import {
  type BotConfig,
  type BotRegistry,
  createBotRegistry,
} from '../../packages/bots/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { type Contender, summary, timeRounds } from '../measure/rounds.ts';

const HUNDRED = 100;
const MANY = 10_000;
const ROLES = ['worker', 'orchestrator', 'monitor', 'guardian', 'integrator', 'utility'] as const;

/** What the registry costs: to the disk and back, and to look for bots among many. */
export async function measureBotsRegistry(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-bots-'));
  try {
    return [...(await measureWrites(folder)), ...(await measureReads(folder))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const ONE = 'one bot updated, in a registry of 100, fsync';
const ALL = '100 bots updated at once, one write, fsync';
const BARE = 'the same bytes, core.writeFileAtomic alone';

async function measureWrites(folder: string): Promise<Figure[]> {
  const file = join(folder, 'hundred.json');
  const registry = await registryOf(file, HUNDRED);
  const bytes = await readFile(file, 'utf8');
  let round = 0;
  const times = await timeRounds(
    [
      plain(ONE, () => update(registry, 1, (round += 1))),
      plain(ALL, () => update(registry, HUNDRED, (round += 1))),
      plain(BARE, () => writeFileAtomic(join(folder, 'bare.json'), bytes)),
    ],
    { rounds: 101, warmUps: 20 },
  );
  const target = { is: 'at most', value: 5 } as const;
  return [ONE, ALL, BARE].map((name) => ({
    name,
    unit: 'ms',
    ...summary(times.get(name) ?? []),
    ...(name === BARE ? { isPeer: true } : { target }),
  }));
}

async function update(registry: BotRegistry, count: number, round: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, nth) =>
      registry.update(`bot-${nth}`, { description: `In round ${round}` }),
    ),
  );
}

const FOUND = '10 000 bots listed: role, status, tag, text, sorted, the first 100';
const WHOLE = '10 000 bots listed, no filter, sorted by role, all of them';
const FRESH = 'the same after another process wrote: the file read and checked anew';

async function measureReads(folder: string): Promise<Figure[]> {
  const file = join(folder, 'many.json');
  const registry = await registryOf(file, MANY);
  const filter = { role: 'worker', status: 'registered', tag: 'odd', text: 'CRAWL' } as const;
  const find = async (from: BotRegistry) => {
    const { total } = await from.list({ ...filter, sort: 'updated', limit: 100 });
    if (total === 0) throw new Error('the filter lets nothing through');
  };
  await find(registry);
  const times = await timeRounds(
    [
      plain(FOUND, () => find(registry)),
      plain(WHOLE, async () => void (await registry.list({ sort: 'role', limit: MANY }))),
      {
        name: FRESH,
        prepare: () => {
          const fresh = createBotRegistry({ file });
          return () => find(fresh);
        },
      },
    ],
    { rounds: 21, warmUps: 5 },
  );
  const target = { is: 'at most', value: 20 } as const;
  return [FOUND, WHOLE, FRESH].map((name) => ({
    name,
    unit: 'ms',
    ...summary(times.get(name) ?? []),
    ...(name !== FRESH && { target }),
  }));
}

function plain(name: string, run: () => Promise<void>): Contender {
  return { name, prepare: () => run };
}

async function registryOf(file: string, count: number): Promise<BotRegistry> {
  const registry = createBotRegistry({ file });
  await Promise.all(Array.from({ length: count }, (_, nth) => registry.create(configOf(nth))));
  return registry;
}

function configOf(nth: number): BotConfig {
  return {
    id: `bot-${nth}`,
    role: ROLES[nth % ROLES.length] ?? 'worker',
    description: nth % 7 === 0 ? 'Crawls the pages of prospects' : 'Saves contacts in the CRM',
    tags: [nth % 5 === 0 ? 'odd' : 'even', 'crm', `team-${nth % 20}`],
    deployment: {
      command: 'node',
      args: ['--enable-source-maps', `workers/worker-${nth}.js`],
      env: ['PATH', 'HOME', 'CRM_TOKEN'],
      readiness: { kind: 'http', port: 8_000 + (nth % 1_000), path: '/ready' },
      restart: { kind: 'transient', intensity: 3 },
      limits: { maxRssBytes: 500_000_000 },
    },
  };
}
