import { describe, expect, it } from 'vitest';
import { config, newWorld } from './registry/world.ts';

describe('a deployment template', () => {
  it('gives what the bot does not say itself: `restart` and `limits` by field, all else whole', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({
      name: 'node',
      deployment: {
        command: 'node',
        args: ['--enable-source-maps'],
        env: ['HOME', 'LANG'],
        readiness: { kind: 'http', port: 8080, path: '/ready' },
        restart: { kind: 'transient', intensity: 3 },
        limits: { maxRssBytes: 100_000_000, maxCpuPercent: 50 },
      },
    });
    const bot = await registry.create({
      id: 'crawler',
      role: 'worker',
      template: 'node',
      deployment: {
        args: ['crawl.js'],
        readiness: { kind: 'http', port: 9090 },
        restart: { intensity: 9 },
        limits: { maxRssBytes: undefined },
      },
    });
    expect(bot.template).toBe('node');
    expect(bot.deployment).toMatchObject({
      command: 'node',
      args: ['crawl.js'],
      env: ['HOME', 'LANG'],
      readiness: { kind: 'http', port: 9090, path: '/' },
      restart: { kind: 'transient', intensity: 9, periodMs: 60_000 },
      limits: { maxRssBytes: 100_000_000, maxCpuPercent: 50, durationMs: 5_000 },
    });
  });

  it('reaches the bots that extend it when it is written anew, and no others', async () => {
    const { registry, open } = newWorld();
    await registry.putTemplate({ name: 'node', deployment: { command: 'node', stopGraceMs: 1 } });
    await registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    await registry.create(config('mailer'));
    await open().putTemplate({ name: 'node', deployment: { command: 'nodejs', stopGraceMs: 2 } });
    expect(await registry.get('crawler')).toMatchObject({
      revision: 2,
      deployment: { command: 'nodejs', stopGraceMs: 2 },
    });
    expect(await registry.get('mailer')).toMatchObject({ revision: 1 });
    expect(await registry.templates()).toEqual([
      { name: 'node', deployment: { command: 'nodejs', stopGraceMs: 2 } },
    ]);
  });

  it('is not written so that a bot would not be whole any more', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    await expect(registry.putTemplate({ name: 'node', deployment: {} })).rejects.toMatchObject({
      code: 'BOTS_TEMPLATE_BREAKS_BOT',
      template: 'node',
      botId: 'crawler',
    });
    expect(await registry.get('crawler')).toMatchObject({ deployment: { command: 'node' } });
  });

  it('need not be a whole deployment, but has no other fields than one', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({ name: 'small', deployment: { limits: { maxRssBytes: 1_000 } } });
    const wrong: object = { name: 'node', deployment: { comand: 'node' } };
    // @ts-expect-error -- a misspelt field
    await expect(registry.putTemplate(wrong)).rejects.toThrow('comand');
    await expect(
      registry.putTemplate({ name: 'env', deployment: { env: ['TOKEN=hunter2'] } }),
    ).rejects.toThrow('values are never stored');
  });

  it('has to be there when a bot extends it, and stays as long as one does', async () => {
    const { registry } = newWorld();
    await expect(registry.create(config('crawler', { template: 'node' }))).rejects.toMatchObject({
      code: 'BOTS_UNKNOWN_TEMPLATE',
      template: 'node',
    });
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    await expect(registry.deleteTemplate('node')).rejects.toMatchObject({
      code: 'BOTS_TEMPLATE_IN_USE',
      bots: ['crawler'],
    });
    await registry.update('crawler', { template: undefined, deployment: { command: 'node' } });
    await registry.deleteTemplate('node');
    expect(await registry.templates()).toEqual([]);
    await expect(registry.deleteTemplate('node')).rejects.toMatchObject({
      code: 'BOTS_UNKNOWN_TEMPLATE',
    });
  });
});
