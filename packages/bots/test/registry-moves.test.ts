import { BOT_STATUSES, type BotRegistry, type BotStatus, LEGAL_MOVES } from '@buddy/bots';
import { describe, expect, it } from 'vitest';
import { config, newWorld } from './registry/world.ts';

const PAIRS = BOT_STATUSES.flatMap((from) => BOT_STATUSES.map((to) => ({ from, to })));

describe('the status of a bot', () => {
  it('moves as the table says, and in no other way: all 81 pairs', async () => {
    const { registry } = newWorld();
    const outcomes = await Promise.all(PAIRS.map((pair) => tryMove(registry, pair)));
    const refused = outcomes.filter(({ outcome }) => outcome === 'BOTS_ILLEGAL_MOVE');
    const moved = outcomes.filter(({ outcome }) => outcome === 'moved');
    const legal = BOT_STATUSES.flatMap((from) => LEGAL_MOVES[from].map((to) => ({ from, to })));
    expect(moved).toHaveLength(legal.length);
    expect(refused).toHaveLength(81 - legal.length);
    expect(moved.map(({ pair }) => pair)).toEqual(expect.arrayContaining(legal));
    for (const { pair, status } of refused) expect(status).toBe(pair.from);
    for (const { pair, status } of moved) expect(status).toBe(pair.to);
  });

  it('can be reached from registered, each of them', () => {
    for (const status of BOT_STATUSES) expect(wayTo(status).at(-1)).toBe(status);
  });

  it('says from where, to where, and what would be legal', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await expect(registry.record('crawler', { status: 'running' })).rejects.toMatchObject({
      code: 'BOTS_ILLEGAL_MOVE',
      from: 'registered',
      to: 'running',
      message: 'Bot "crawler" is registered; it may become starting, not running.',
    });
  });

  it('lets one of two that start a bot at once win', async () => {
    const { registry, open } = newWorld();
    await registry.create(config('crawler'));
    const attempts = await Promise.allSettled([
      registry.record('crawler', { status: 'starting' }),
      open().record('crawler', { status: 'starting' }),
    ]);
    expect(attempts.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('what is recorded of a bot', () => {
  const process = { pid: 4711, startedAtTicks: '12', bootId: 'boot' };
  const lastExit = {
    kind: 'crash',
    exitCode: 1,
    signal: null,
    at: '2026-01-01T00:00:00.000Z',
  } as const;

  it('stays when it is left out, and is cleared by null', async () => {
    const { registry, clock, open } = newWorld();
    await registry.create(config('crawler'));
    await clock.advance(5_000);
    await registry.record('crawler', {
      status: 'starting',
      process,
      mark: 'mark-1',
      restarts: 2,
      lastExit,
    });
    await clock.advance(5_000);
    const bot = await registry.record('crawler', { statusReason: 'slow' });
    expect(bot).toMatchObject({ status: 'starting', statusReason: 'slow', process, restarts: 2 });
    expect(bot).toMatchObject({
      statusSince: '2026-01-01T00:00:05.000Z',
      lastExit,
      revision: 1,
      mark: 'mark-1',
    });
    expect(bot.updatedAt).toBe('2026-01-01T00:00:10.000Z');
    const cleared = await registry.record('crawler', {
      process: null,
      mark: null,
      statusReason: null,
    });
    expect(cleared).not.toHaveProperty('process');
    expect(cleared).not.toHaveProperty('mark');
    expect(cleared).not.toHaveProperty('statusReason');
    expect(await open().get('crawler')).toEqual(cleared);
  });

  it('loses its reason with the status that it was the reason of', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await registry.record('crawler', { status: 'starting' });
    await registry.record('crawler', { status: 'quarantined', statusReason: '6 restarts in 60 s' });
    const bot = await registry.record('crawler', { status: 'stopped' });
    expect(bot).not.toHaveProperty('statusReason');
  });

  it('has to be of the right shape', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await expect(
      registry.record('crawler', { process: { ...process, pid: -1 } }),
    ).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
    await expect(registry.record('nobody', {})).rejects.toMatchObject({
      code: 'BOTS_UNKNOWN_BOT',
      botId: 'nobody',
    });
  });
});

interface Pair {
  from: BotStatus;
  to: BotStatus;
}

async function tryMove(registry: BotRegistry, pair: Pair) {
  const id = `${pair.from}-${pair.to}`.replaceAll('_', '-');
  await registry.create(config(id));
  for (const status of wayTo(pair.from).slice(1)) await registry.record(id, { status });
  const outcome = await registry.record(id, { status: pair.to }).then(
    () => 'moved',
    (error: unknown) => Reflect.get(Object(error), 'code'),
  );
  return { pair, outcome, status: (await registry.get(id))?.status };
}

/** The shortest, from `registered`. */
function wayTo(status: BotStatus): BotStatus[] {
  const ways: BotStatus[][] = [['registered']];
  for (const way of ways) {
    const last = way.at(-1);
    if (last === status) return way;
    if (last)
      ways.push(...LEGAL_MOVES[last].filter((s) => !way.includes(s)).map((s) => [...way, s]));
  }
  return [];
}
