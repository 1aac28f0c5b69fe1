import { BOT_STATUSES, type Bot, BotRole, type BotQueryInput, type BotRegistry } from '@buddy/bots';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { config, newWorld } from './registry/world.ts';

describe('a list of bots', () => {
  it('is narrowed by role, status, tags and text, all at once', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create(config('crawler', { role: 'worker', tags: ['crm', 'eu'] }));
    await registry.create(config('mailer', { role: 'worker', tags: ['crm'] }));
    await registry.create(config('watcher', { role: 'monitor', description: 'Watches CRAWLERS' }));
    await registry.create({ id: 'healer', role: 'guardian', template: 'node' });
    await registry.record('mailer', { status: 'starting' });
    const ids = async (query: BotQueryInput) =>
      (await registry.list(query)).bots.map(({ id }) => id);
    expect(await ids({ role: 'worker' })).toEqual(['crawler', 'mailer']);
    expect(await ids({ role: ['monitor', 'guardian'] })).toEqual(['healer', 'watcher']);
    expect(await ids({ status: 'starting' })).toEqual(['mailer']);
    expect(await ids({ tag: 'crm' })).toEqual(['crawler', 'mailer']);
    expect(await ids({ tag: ['crm', 'eu'] })).toEqual(['crawler']);
    expect(await ids({ text: 'Crawler' })).toEqual(['crawler', 'watcher']);
    expect(await ids({ text: 'NODE' })).toEqual(['crawler', 'healer', 'mailer', 'watcher']);
    expect(await ids({ text: 'crawl', role: 'worker', tag: 'eu' })).toEqual(['crawler']);
    expect(await ids({ role: 'utility' })).toEqual([]);
  });

  it('refuses a query that it does not understand', async () => {
    const { registry } = newWorld();
    await expect(registry.list({ after: 'x' })).rejects.toThrow('`next` of an earlier page');
    await expect(registry.list({ limit: 0 })).rejects.toMatchObject({ code: 'CORE_INVALID_INPUT' });
    // @ts-expect-error: no such role
    await expect(registry.list({ role: 'boss' })).rejects.toThrow('role');
  });

  describe('of many bots', () => {
    it('comes in pages that together are the whole, each bot once, in order', async () => {
      const registry = await withManyBots();
      const all = await registry.all();
      await fc.assert(
        fc.asyncProperty(queries, async (query) => {
          const whole = await registry.list({ ...query, limit: 10_000 });
          const paged: Bot[] = [];
          let after: string | undefined;
          do {
            const page = await registry.list({ ...query, ...(after !== undefined && { after }) });
            expect(page.total).toBe(whole.total);
            expect(page.bots.length).toBeLessThanOrEqual(query.limit);
            paged.push(...page.bots);
            after = page.next;
          } while (after !== undefined);
          expect(paged).toEqual(whole.bots);
          expect(new Set(paged)).toEqual(new Set(all.filter((bot) => fits(bot, query))));
          const keys = paged.map((bot) => keyOf(bot, query.sort));
          const sorted = keys.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
          expect(keys).toEqual(query.order === 'ascending' ? sorted : sorted.toReversed());
        }),
        { numRuns: 60 },
      );
    }, 60_000);

    it('turns round with the order', async () => {
      const registry = await withManyBots();
      const ascending = await registry.list({ sort: 'role' });
      const descending = await registry.list({ sort: 'role', order: 'descending' });
      expect(descending.bots).toEqual(ascending.bots.toReversed());
    });
  });
});

describe('the statistics of a registry', () => {
  it('count bots by status, role, template and last exit', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({ name: 'constructor', deployment: { command: 'node' } });
    await registry.create(config('crawler', { template: 'constructor' }));
    await registry.create(config('mailer', { template: 'constructor' }));
    await registry.create(config('watcher', { role: 'monitor' }));
    await registry.record('mailer', { status: 'starting', restarts: 3 });
    await registry.record('mailer', {
      status: 'crashed',
      lastExit: { kind: 'crash', exitCode: 1, signal: null, at: '2026-01-01T00:00:00.000Z' },
    });
    const { byStatus, byRole, ...rest } = await registry.statistics();
    expect(byStatus).toMatchObject({ registered: 2, crashed: 1, running: 0 });
    expect(Object.keys(byStatus)).toEqual([...BOT_STATUSES]);
    expect(byRole).toMatchObject({ worker: 2, monitor: 1, utility: 0 });
    expect(rest).toEqual({
      generation: 6,
      bots: 3,
      byTemplate: { constructor: 2 },
      byLastExit: { crash: 1 },
      restarts: 3,
      malformed: 0,
    });
  });
});

async function withManyBots(): Promise<BotRegistry> {
  const { registry } = newWorld();
  const roles = BotRole.options;
  await Promise.all(
    Array.from({ length: 60 }, (_, nth) =>
      registry.create(
        config(`bot-${nth}`, {
          role: roles[nth % roles.length] ?? 'worker',
          tags: [`t${nth % 3}`],
        }),
      ),
    ),
  );
  await Promise.all(
    Array.from({ length: 30 }, (_, nth) =>
      registry.record(`bot-${nth}`, { status: 'starting', restarts: nth % 4 }),
    ),
  );
  return registry;
}

const queries = fc.record({
  role: fc.subarray(BotRole.options, { minLength: 1 }),
  status: fc.subarray(['registered', 'starting'] as const, { minLength: 1 }),
  tag: fc.subarray(['t0', 't1'], { maxLength: 1 }),
  sort: fc.constantFrom('id', 'role', 'status', 'restarts'),
  order: fc.constantFrom('ascending', 'descending'),
  limit: fc.integer({ min: 1, max: 70 }),
});
type Query = typeof queries extends fc.Arbitrary<infer Value> ? Value : never;

/** Said in another way than the registry does. */
function fits(bot: Bot, { role, status, tag }: Query): boolean {
  if (!role.includes(bot.role)) return false;
  if (!status.some((one) => one === bot.status)) return false;
  return tag.length === 0 || bot.tags.join() === tag.join();
}

function keyOf(bot: Bot, sort: Query['sort']): string {
  const key = sort === 'id' ? '' : sort === 'status' ? BOT_STATUSES.indexOf(bot.status) : bot[sort];
  return `${String(key).padEnd(20)} ${bot.id}`;
}
