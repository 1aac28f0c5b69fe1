import { readdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import { type BotChanges, type BotConfig, createBotRegistry } from '@buddy/bots';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { config, newFolder, newWorld } from './registry/world.ts';

describe('a registry of bots', () => {
  it('creates a bot, with all defaults filled in, and reads it', async () => {
    const { registry } = newWorld();
    const bot = await registry.create(config('crawler', { tags: ['crm'] }));
    expect(bot).toMatchObject({
      id: 'crawler',
      role: 'worker',
      description: '',
      tags: ['crm'],
      status: 'registered',
      restarts: 0,
      revision: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      deployment: { command: 'node', args: [], restart: { kind: 'permanent', intensity: 5 } },
    });
    expect(await registry.get('crawler')).toEqual(bot);
    expect(await registry.all()).toEqual([bot]);
    expect(await registry.get('nobody')).toBeUndefined();
  });

  it('is seen by whoever opens the same file, also when that was open before', async () => {
    const { registry, open } = newWorld();
    const other = open();
    expect(await other.all()).toEqual([]);
    const bot = await registry.create(config('crawler'));
    expect(await other.get('crawler')).toEqual(bot);
    await other.update('crawler', { description: 'Crawls.' });
    expect(await registry.get('crawler')).toMatchObject({ description: 'Crawls.', revision: 2 });
  });

  it('hands out bots that nobody can change', async () => {
    const { registry } = newWorld();
    const bot = await registry.create(config('crawler'));
    expect(() => Object.assign(bot.deployment, { command: 'rm' })).toThrow(TypeError);
    expect(() => Object.assign(bot, { status: 'running' })).toThrow(TypeError);
    const sly = registry.update('crawler', (written) => {
      Object.assign(written.deployment ?? {}, { command: 'rm' });
      return {};
    });
    await expect(sly).rejects.toThrow(TypeError);
    const template = await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    expect(() => Object.assign(template.deployment, { command: 'rm' })).toThrow(TypeError);
    expect(await registry.get('crawler')).toEqual(bot);
  });

  it('has an empty list, and no file, until a bot is created', async () => {
    const { registry, file } = newWorld();
    expect(await registry.all()).toEqual([]);
    expect(await readdir(dirname(file))).toEqual([]);
  });

  it('refuses a second bot of an id', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await expect(registry.create(config('crawler'))).rejects.toMatchObject({
      code: 'BOTS_DUPLICATE_BOT',
      botId: 'crawler',
    });
  });

  it('says what is wrong with a definition, and where', async () => {
    const { registry } = newWorld();
    const wrong: unknown = {
      ...config('crawler'),
      deployment: { command: 'node', restart: { intensity: -1 }, comand: 1 },
    };
    // @ts-expect-error -- it is not what create() takes
    await expect(registry.create(wrong)).rejects.toThrow(
      /bot "crawler"[^]*"comand"[^]*deployment\.restart\.intensity/,
    );
    await expect(registry.create(config('no/path'))).rejects.toThrow('lower-case letters');
    await expect(registry.create({ id: 'idle', role: 'worker' })).rejects.toThrow('command');
    expect(await registry.all()).toEqual([]);
  });

  it.each([[['TOKEN=hunter2']], [{ TOKEN: 'hunter2' }]])(
    'stores names of environment variables, never values: %j',
    async (env) => {
      const { registry, file } = newWorld();
      // @ts-expect-error -- one of them is no list
      const attempt = registry.create(config('crawler', { deployment: { command: 'node', env } }));
      const error: unknown = await attempt.catch((thrown: unknown) => thrown);
      expect(String(error)).toMatch('values are never stored');
      expect(String(error)).not.toMatch('hunter2');
      await registry.create(config('mailer', { deployment: { command: 'node', env: ['TOKEN'] } }));
      expect(await readFile(file, 'utf8')).toMatch('"env":["TOKEN"]');
    },
  );

  it('writes a definition anew, field by field, and takes away what is undefined', async () => {
    const { registry, clock } = newWorld();
    await registry.create(config('crawler', { description: 'Crawls.', tags: ['a'] }));
    await clock.advance(1_000);
    const bot = await registry.update('crawler', { description: undefined, role: 'monitor' });
    expect(bot).toMatchObject({ description: '', role: 'monitor', tags: ['a'], revision: 2 });
    expect(bot.updatedAt).toBe('2026-01-01T00:00:01.000Z');
    expect(bot.createdAt).toBe('2026-01-01T00:00:00.000Z');
    await expect(registry.update('nobody', {})).rejects.toMatchObject({ code: 'BOTS_UNKNOWN_BOT' });
  });

  it('refuses changes that are none: a promise, nothing, an id', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    // @ts-expect-error -- it would be read before it is there
    const waiting = registry.update('crawler', async () => ({ description: 'late' }));
    await expect(waiting).rejects.toThrow('changes of bot "crawler"');
    // @ts-expect-error -- a function that returns nothing
    await expect(registry.update('crawler', () => undefined)).rejects.toThrow('changes of bot');
    // @ts-expect-error -- a bot keeps its id
    await registry.update('crawler', { id: 'mailer' });
    expect(await registry.all()).toMatchObject([{ id: 'crawler' }]);
  });

  it('tells whoever decided on an older revision, and changes nothing', async () => {
    const { registry, open } = newWorld();
    const { revision } = await registry.create(config('crawler'));
    await open().update('crawler', { description: 'Theirs.' }, { revision });
    await expect(
      registry.update('crawler', { description: 'Mine.' }, { revision }),
    ).rejects.toMatchObject({ code: 'BOTS_REVISION_CONFLICT', revision: 2 });
    expect(await registry.get('crawler')).toMatchObject({ description: 'Theirs.' });
  });

  it('makes an update of what is there then, however many are under way', async () => {
    const { registry, open } = newWorld();
    await registry.create(config('counter', { description: '0' }));
    const other = open();
    await Promise.all(
      Array.from({ length: 40 }, (_, nth) =>
        (nth % 2 === 0 ? registry : other).update('counter', addOne),
      ),
    );
    expect(await registry.get('counter')).toMatchObject({ description: '40', revision: 41 });
  });

  it('deletes a bot', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await registry.delete('crawler');
    expect(await registry.all()).toEqual([]);
    await expect(registry.delete('crawler')).rejects.toMatchObject({ code: 'BOTS_UNKNOWN_BOT' });
  });

  it.each([
    ['starting', ['starting']],
    ['running', ['starting', 'running']],
    ['degraded', ['starting', 'running', 'degraded']],
    ['stopping', ['starting', 'running', 'stopping']],
    ['backing_off', ['starting', 'backing_off']],
  ] as const)('does not delete a bot that is %s', async (status, way) => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    for (const next of way) await registry.record('crawler', { status: next });
    await expect(registry.delete('crawler')).rejects.toMatchObject({
      code: 'BOTS_BOT_RUNNING',
      status,
    });
    expect(await registry.all()).toHaveLength(1);
  });

  it('knows the bots that others depend on', async () => {
    const { registry } = newWorld();
    await expect(registry.create(config('mailer', dependsOn('queue')))).rejects.toMatchObject({
      code: 'BOTS_DEPENDENCY',
      message: 'Bot "mailer" depends on queue: there is no such bot. Create it first.',
    });
    await registry.create(config('queue'));
    await registry.create(config('mailer', dependsOn('queue')));
    await expect(registry.delete('queue')).rejects.toMatchObject({
      code: 'BOTS_BOT_REQUIRED',
      dependents: ['mailer'],
    });
    await expect(registry.update('queue', dependsOn('mailer'))).rejects.toThrow(
      'queue -> mailer -> queue',
    );
    await expect(registry.update('queue', dependsOn('queue'))).rejects.toThrow('queue -> queue');
  });

  it('takes no time of a clock that a test runs', async () => {
    const { registry, clock } = newWorld();
    const before = clock.now();
    await clock.run(async () => {
      await Promise.all([registry.create(config('crawler')), registry.create(config('mailer'))]);
      await registry.record('crawler', { status: 'starting' });
    });
    expect(clock.now()).toBe(before);
    expect(await registry.all()).toHaveLength(2);
  });

  it('refuses options that it does not know', () => {
    // @ts-expect-error: a misspelt option
    expect(() => createBotRegistry({ fil: 'bots.json' })).toThrow('fil');
    expectTypeOf<Parameters<typeof createBotRegistry>[0]>().toEqualTypeOf<{
      file: string;
      lockTimeoutMs?: number | undefined;
    }>();
  });
});

describe('the events of a registry', () => {
  it('tell what was done, once it is on the disk', async () => {
    const { registry, file } = newWorld();
    const told: unknown[] = [];
    registry.events.on('botCreated', ({ bot }) => told.push(['created', bot.id]));
    registry.events.on('botUpdated', ({ bot }) => told.push(['updated', bot.revision]));
    registry.events.on('botDeleted', ({ bot }) => told.push(['deleted', bot.id]));
    registry.events.on('statusChanged', (event) => told.push(event));
    registry.events.on('templateChanged', ({ change }) => told.push(['template', change]));
    registry.events.on('botCreated', async () => {
      told.push((await readFile(file, 'utf8')).includes('crawler'));
    });
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    await registry.update('crawler', { tags: ['a'] });
    await registry.record('crawler', { status: 'starting', statusReason: 'asked for' });
    await registry.record('crawler', { status: 'stopped' });
    await registry.delete('crawler');
    await registry.deleteTemplate('node');
    expect(told).toEqual(
      expect.arrayContaining([
        ['template', 'written'],
        ['created', 'crawler'],
        true,
        ['updated', 2],
        expect.objectContaining({ from: 'registered', to: 'starting', reason: 'asked for' }),
        expect.objectContaining({ id: 'crawler', from: 'starting', to: 'stopped' }),
        ['deleted', 'crawler'],
        ['template', 'deleted'],
      ]),
    );
    expect(told).toHaveLength(8);
  });

  it('are not held up by a listener that throws', async () => {
    const { registry } = newWorld();
    registry.events.on('botCreated', () => {
      throw new Error('listener');
    });
    await registry.create(config('crawler'));
    expect(await registry.all()).toHaveLength(1);
  });
});

describe('the file of a registry', () => {
  it('has one line for each bot, in snake_case, and a generation that grows by one with each write', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('crawler', { deployment: { command: 'node', stopGraceMs: 10 } }));
    await registry.create(config('mailer'));
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines[0]).toBe('{"format":"buddy-bots-registry","version":1,"generation":2,');
    expect(lines.find((line) => line.includes('crawler'))).toMatch(
      /^\{"id":"crawler".*"stop_grace_ms":10.*"state":\{"status":"registered","status_since"/,
    );
    expect(JSON.parse(lines.join('\n'))).toMatchObject({ generation: 2 });
  });

  it('is for its owner only, unless somebody has said otherwise', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('crawler'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is written once for many changes that are asked for at once', async () => {
    const { registry } = newWorld();
    await Promise.all(
      Array.from({ length: 50 }, (_, nth) => registry.create(config(`bot-${nth}`))),
    );
    const { bots, generation } = await registry.statistics();
    expect(bots).toBe(50);
    expect(generation).toBe(1);
  });

  it('takes one lock, by whichever name it is opened', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('counter', { description: '0' }));
    const link = join(newFolder(), 'link.json');
    await symlink(file, link);
    const linked = createBotRegistry({ file: link });
    await Promise.all(
      Array.from({ length: 20 }, (_, nth) =>
        (nth % 2 === 0 ? registry : linked).update('counter', addOne),
      ),
    );
    expect(await linked.get('counter')).toMatchObject({ description: '20' });
    expect(await readdir(dirname(link))).toEqual([basename(link)]);
  });

  it('is one registry by a symbolic link, also when that was there before the file', async () => {
    const { file, registry } = newWorld();
    const link = join(newFolder(), 'link.json');
    await symlink(file, link);
    const linked = createBotRegistry({ file: link });
    expect(await linked.all()).toEqual([]);
    await linked.create(config('counter', { description: '0' }));
    await Promise.all(
      Array.from({ length: 40 }, (_, nth) =>
        (nth % 2 === 0 ? registry : linked).update('counter', addOne),
      ),
    );
    expect(await registry.get('counter')).toMatchObject({ description: '40' });
    expect(await readdir(dirname(link))).toEqual([basename(link)]); // no lock of its own
  });

  it('tells every caller when the disk fails, changes nothing, and goes on when it works again', async () => {
    const world = newWorld();
    let isFull = false;
    const registry = world.open({
      writeFile: async (...write) => {
        if (isFull) throw new Error('ENOSPC: no space left on device');
        await writeFileAtomic(...write);
      },
    });
    await registry.create(config('crawler'));
    isFull = true;
    const attempts = await Promise.allSettled([
      registry.create(config('mailer')),
      registry.update('crawler', { description: 'New.' }),
    ]);
    expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await registry.all()).toMatchObject([{ id: 'crawler', description: '' }]);
    isFull = false;
    await registry.create(config('mailer'));
    expect(await registry.all()).toHaveLength(2);
  });

  it('says so when its folder does not exist', async () => {
    const registry = createBotRegistry({ file: join(newFolder(), 'none', 'bots.json') });
    const error = { code: 'CORE_FILE_ACCESS', message: expect.stringContaining('does not exist') };
    await expect(registry.create(config('crawler'))).rejects.toMatchObject(error);
    await expect(registry.all()).rejects.toThrow(/^Cannot read .*there is no such file/);
  });
});

function addOne(written: BotConfig): BotChanges {
  return { description: `${Number(written.description) + 1}` };
}

function dependsOn(...ids: string[]): BotChanges {
  return { deployment: { command: 'node', dependsOn: ids } };
}
