import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBotRegistry } from '@buddy/bots';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { config, newWorld, type World } from './registry/world.ts';

/** What may be found where the registry should be. */
const DAMAGES: [string, (file: string) => Promise<void>][] = [
  ['torn', (file) => truncate(file, 200)],
  ['empty', (file) => truncate(file, 0)],
  ['zeros, as some file systems leave them', (file) => writeFile(file, Buffer.alloc(500))],
  ['some other JSON', (file) => writeFile(file, '{"name":"shop","version":"1.0.0"}')],
  ['a photograph', (file) => writeFile(file, Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]))],
];

describe.each(DAMAGES)('a registry whose file is %s', (_name, damage) => {
  it('is not read as an empty one, and reading leaves the file where it is', async () => {
    const { file, open } = await damaged(damage);
    const found = await readFile(file);
    for (const read of [open().all(), open().get('crawler'), open().list(), open().export()]) {
      await expect(read).rejects.toMatchObject({ code: 'BOTS_REGISTRY_DAMAGED', isInPlace: true });
    }
    expect(await readFile(file)).toEqual(found);
  });

  it('sets it aside under a new name before it writes, tells of it, and refuses to go on', async () => {
    const { file, open } = await damaged(damage);
    const found = await readFile(file);
    const registry = open();
    const told: unknown[] = [];
    registry.events.on('fileSetAside', (event) => told.push(event));
    const setAsideAs = `${file}.damaged-2026-01-01T00-00-00.000Z`;
    await expect(registry.create(config('mailer'))).rejects.toMatchObject({
      code: 'BOTS_REGISTRY_DAMAGED',
      setAsideAs,
    });
    expect(told).toEqual([expect.objectContaining({ file, setAsideAs })]);
    expect(await readFile(setAsideAs)).toEqual(found);
    for (const refused of [registry.create(config('mailer')), open().all()]) {
      await expect(refused).rejects.toMatchObject({ code: 'BOTS_REGISTRY_DAMAGED', setAsideAs });
    }
    expect(await readFile(setAsideAs)).toEqual(found);
  });

  it('begins anew when it is told to, and keeps what was set aside', async () => {
    const { file, open } = await damaged(damage);
    const found = await readFile(file);
    const [registry, other] = [open(), open()];
    await expect(other.all()).rejects.toThrow('cannot be used');
    await registry.startOver();
    await registry.create(config('mailer'));
    expect(await other.all()).toMatchObject([{ id: 'mailer' }]);
    expect(await readFile(`${file}.damaged-2026-01-01T00-00-00.000Z`)).toEqual(found);
  });
});

describe('a damaged registry', () => {
  it('goes on with a whole file that a person puts in its place', async () => {
    const world = newWorld();
    await world.registry.create(config('crawler'));
    const whole = await readFile(world.file);
    await truncate(world.file, 100);
    await expect(world.registry.create(config('mailer'))).rejects.toThrow('cannot be used');
    await writeFile(world.file, whole);
    await world.registry.create(config('mailer'));
    expect(await world.registry.all()).toHaveLength(2);
  });

  it('has a name for each file that is set aside', async () => {
    const world = newWorld();
    for (let time = 0; time < 3; time += 1) {
      await writeFile(world.file, `garbage ${time}`);
      await expect(world.open().create(config('crawler'))).rejects.toThrow('cannot be used');
    }
    const aside = (await readdir(dirname(world.file))).filter((name) => name.includes('damaged'));
    expect(aside).toHaveLength(3);
  });

  it('is one whose file has vanished, too', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('crawler'));
    await rm(file);
    await expect(registry.all()).rejects.toThrow('the file has vanished');
    await expect(registry.create(config('mailer'))).rejects.toThrow('the file has vanished');
    await registry.startOver();
    expect(await registry.all()).toEqual([]);
  });

  it('is not what a whole one is: it does not start over', async () => {
    const { registry } = newWorld();
    await registry.create(config('crawler'));
    await expect(registry.startOver()).rejects.toMatchObject({ code: 'BOTS_REGISTRY_INTACT' });
    expect(await registry.all()).toHaveLength(1);
  });
});

describe('a registry that a later version wrote', () => {
  it('is refused and not touched', async () => {
    const { registry, file } = newWorld();
    const text = '{"format":"buddy-bots-registry","version":2,"generation":7,"herds":[]}';
    await writeFile(file, text);
    for (const refused of [
      registry.all(),
      registry.create(config('crawler')),
      registry.startOver(),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'BOTS_TOO_NEW', version: 2 });
    }
    expect(await readFile(file, 'utf8')).toBe(text);
    const names = await readdir(dirname(file));
    expect(names.filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

describe('an entry that is malformed', () => {
  it('is reported with path and reason, and the other bots go on', async () => {
    const world = await withMalformedEntry();
    const registry = world.open();
    const told: unknown[] = [];
    registry.events.on('entryMalformed', (event) => told.push(event));
    expect((await registry.all()).map(({ id }) => id)).toEqual(['mailer']);
    const problem = {
      kind: 'bot',
      name: 'crawler',
      path: 'bots[0].deployment.restart.period_ms',
      reason: 'Invalid input: expected number, received string',
    };
    expect(await registry.problems()).toEqual([problem]);
    expect(told).toEqual([expect.objectContaining(problem)]);
    await registry.record('mailer', { status: 'starting' });
    await registry.update('mailer', { tags: ['a'] });
    expect(await registry.statistics()).toMatchObject({ bots: 1, malformed: 1 });
    expect(told).toHaveLength(1);
  });

  it('is not there and not missing: to ask for it is an error that says why', async () => {
    const registry = (await withMalformedEntry()).open();
    for (const refused of [
      registry.get('crawler'),
      registry.record('crawler', { status: 'starting' }),
      registry.update('crawler', {}),
    ]) {
      await expect(refused).rejects.toMatchObject({
        code: 'BOTS_MALFORMED_BOT',
        message: expect.stringContaining('bots[0].deployment.restart.period_ms'),
      });
    }
    await expect(registry.create(config('crawler'))).rejects.toThrow('already');
  });

  it('stays in the file as it is, until it is deleted', async () => {
    const world = await withMalformedEntry();
    const registry = world.open();
    await registry.create(config('crasher'));
    expect(await readFile(world.file, 'utf8')).toMatch('"period_ms":"a minute"');
    await registry.delete('crawler');
    await registry.create(config('crawler'));
    expect(await registry.problems()).toEqual([]);
  });

  it('stays, too, when it is the second of its name, whatever is written to the first, until that is deleted', async () => {
    const world = newWorld();
    await world.registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await world.registry.create(config('crawler', { template: 'node' }));
    const text = await readFile(world.file, 'utf8');
    const twice = text
      .replace(/^\{"id":"crawler".*$/m, (line) => `${line},\n${line.replace('worker', 'monitor')}`)
      .replace(/^\{"name":"node".*$/m, (line) => `${line},\n${line}`);
    await writeFile(world.file, twice);
    const registry = world.open();
    const problems = ['templates[1].name', 'bots[1].id'].map((path) => ({ path }));
    expect(await registry.problems()).toMatchObject(problems);
    await registry.record('crawler', { status: 'starting' });
    await registry.record('crawler', { status: 'stopped' });
    await registry.update('crawler', { tags: ['a'] });
    await registry.putTemplate({ name: 'node', deployment: { command: 'bun' } });
    expect(await registry.problems()).toMatchObject(problems);
    expect(await readFile(world.file, 'utf8')).toContain('"role":"monitor"');
    await registry.delete('crawler');
    await registry.deleteTemplate('node');
    expect(await registry.problems()).toEqual([]);
    expect(await registry.all()).toEqual([]);
  });

  it('that lacks a template is whole again once somebody writes that', async () => {
    const world = newWorld();
    await world.registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await world.registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    const { templates: _, ...rest } = await jsonOf(world);
    await writeFile(world.file, JSON.stringify({ ...rest, templates: [] }));
    expect(await world.registry.problems()).toMatchObject([{ path: 'bots[0].template' }]);
    await world.registry.putTemplate({ name: 'node', deployment: { command: 'bun' } });
    expect(await world.registry.problems()).toEqual([]);
    expect(await world.registry.get('crawler')).toMatchObject({ deployment: { command: 'bun' } });
  });

  it('is also one whose template cannot be read, one that comes twice, and one of no shape', async () => {
    const world = newWorld();
    await world.registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await world.registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    const { templates, bots, ...rest } = await jsonOf(world);
    Object.assign(templates[0]?.deployment ?? {}, { comand: 'node' });
    await writeFile(
      world.file,
      JSON.stringify({ ...rest, templates, bots: [...bots, ...bots, 7, { id: 'idle' }] }),
    );
    expect(await world.open().problems()).toEqual([
      expect.objectContaining({ path: 'templates[0].deployment', reason: expect.any(String) }),
      expect.objectContaining({ path: 'bots[0].template', name: 'crawler' }),
      expect.objectContaining({ path: 'bots[1].template' }),
      expect.objectContaining({ path: 'bots[2]' }),
      expect.objectContaining({ path: 'bots[3].state', reason: 'is missing', name: 'idle' }),
    ]);
  });
});

describe('a file that a person has edited', () => {
  it('is read with what was edited, also by a registry that had read it before', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('crawler', { description: 'old' }));
    const json: unknown = JSON.parse((await readFile(file, 'utf8')).replace('"old"', '"new"'));
    await writeFile(file, JSON.stringify(json, null, 2));
    expect(await registry.get('crawler')).toMatchObject({ description: 'new' });
    await registry.create(config('mailer'));
    expect(await registry.get('crawler')).toMatchObject({ description: 'new' });
  });

  it('is not overwritten when it was saved while a change was under way, without the lock', async () => {
    const world = newWorld();
    await world.registry.create(config('crawler'));
    const theirs = (await readFile(world.file, 'utf8')).replace('"worker"', '"monitor"');
    const registry = world.open();
    let calls = 0;
    await registry.update('crawler', () => {
      calls += 1;
      if (calls === 1) replaceFile(world.file, theirs);
      return { tags: ['mine'] };
    });
    expect(calls).toBe(2);
    expect(await registry.get('crawler')).toMatchObject({ role: 'monitor', tags: ['mine'] });
  });
});

describe('the lock of a registry', () => {
  it('is waited for, and then the caller is told to try again', async () => {
    const { file } = newWorld();
    const registry = createBotRegistry({ file, lockTimeoutMs: 50 });
    await registry.create(config('crawler'));
    const holder = new DatabaseSync(`${file}.lock`);
    holder.exec('BEGIN EXCLUSIVE');
    await expect(registry.create(config('mailer'))).rejects.toMatchObject({
      code: 'BOTS_REGISTRY_BUSY',
      retryable: true,
    });
    expect(await registry.all()).toHaveLength(1); // readers need no lock
    holder.close();
    await registry.create(config('mailer'));
  });

  it('is one empty file, also while it is held', async () => {
    const { registry, file } = newWorld();
    await registry.create(config('crawler'));
    const names: string[] = [];
    await registry.update('crawler', () => {
      names.push(...readdirSync(dirname(file)));
      return {};
    });
    expect(names).toEqual(['bots.json', 'bots.json.lock']);
    expect(await readFile(`${file}.lock`, 'utf8')).toBe('');
  });

  it('is free at once when its holder is killed', async () => {
    const { file, clock } = newWorld();
    const registry = createBotRegistry({ file, lockTimeoutMs: 20_000 }, { clock });
    await registry.create(config('crawler'));
    const holder = spawn(process.execPath, ['-e', HOLD, `${file}.lock`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let isDone = false;
    const waiting = registry.create(config('mailer')).then(() => (isDone = true));
    await sleep(50);
    expect(isDone).toBe(false);
    holder.kill('SIGKILL');
    await waiting;
    expect(await registry.all()).toHaveLength(2);
  });

  it('that cannot be had at all is an error of its own', async () => {
    const { registry, file } = newWorld();
    await mkdir(`${file}.lock`);
    await expect(registry.create(config('crawler'))).rejects.toMatchObject({
      code: 'BOTS_REGISTRY_LOCK',
    });
  });
});

/** Locks the file that it is given, says so, and hangs. */
const HOLD = `
  const { DatabaseSync } = require('node:sqlite');
  globalThis.held = new DatabaseSync(process.argv[1]);
  held.exec('BEGIN EXCLUSIVE');
  console.log('held');
  setInterval(() => {}, 1000);
`;

async function damaged(damage: (file: string) => Promise<void>): Promise<World> {
  const world = newWorld();
  await world.registry.create(config('crawler'));
  await damage(world.file);
  return world;
}

/** `crawler` cannot be read, `mailer` can. */
async function withMalformedEntry(): Promise<World> {
  const world = newWorld();
  const deployment = { command: 'node', restart: { periodMs: 60_000 } };
  await world.registry.create(config('crawler', { deployment }));
  await world.registry.create(config('mailer'));
  const text = await readFile(world.file, 'utf8');
  await writeFile(world.file, text.replace('"period_ms":60000', '"period_ms":"a minute"'));
  return world;
}

const File = z.looseObject({
  templates: z.array(z.looseObject({ deployment: z.record(z.string(), z.unknown()) })),
  bots: z.array(z.unknown()),
});

async function jsonOf({ file }: World): Promise<z.output<typeof File>> {
  return File.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** As editors do it. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}~`, text);
  renameSync(`${file}~`, file);
}
