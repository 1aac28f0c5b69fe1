import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseCorrupted } from '@buddy/guardian';
import { sqlitePage } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openCorruptedWorld } from '../worlds/database-corrupted.ts';
import { healOnce, noticeAndHeal } from '../worlds/heal-once.ts';
import { makeSqliteWorld, type SqliteWorld } from '../worlds/sqlite-world.ts';

const { signal } = new AbortController();

describePlaybook(databaseCorrupted, openCorruptedWorld);

function heal({ database }: SqliteWorld, told = 'database.corrupted') {
  return healOnce(database, { playbooks: [databaseCorrupted], told });
}

describe('playbook database_corrupted', () => {
  const worlds: SqliteWorld[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  const makeWorld = async (...args: Parameters<typeof makeSqliteWorld>) => {
    const world = await makeSqliteWorld(...args);
    worlds.push(world);
    return world;
  };
  it.each(['pages', 'truncate', 'header'] as const)(
    'heals a file with damage of the kind %s',
    async (how) => {
      const world = await makeWorld();
      await world.kit.inject(sqlitePage, { file: world.file, how });
      expect(await world.database.probe(signal)).toMatchObject({
        status: 'FAILED',
        signal: 'database.corrupted',
      });
      expect((await heal(world)).outcome).toBe('restored');
      expect(await world.ask('count')).toBe(1_000);
    },
  );

  it('notices by itself that a file cannot be read any more, and heals it', async () => {
    const world = await makeWorld();
    const closed = await noticeAndHeal(world.database, {
      playbooks: [databaseCorrupted],
      inject: () => world.kit.inject(sqlitePage, { file: world.file, how: 'header' }),
    });
    expect(closed).toEqual({ signal: 'database.corrupted', closedAs: 'restored' });
    expect(await world.ask('count')).toBe(1_000);
  });

  it('puts back a file that is gone', async () => {
    const world = await makeWorld();
    await world.ask('close');
    await rm(world.file);
    expect(await world.database.probe(signal)).toMatchObject({ signal: 'database.missing' });
    expect((await heal(world, 'database.missing')).outcome).toBe('restored');
    expect(await world.ask('count')).toBe(1_000);
  });

  it('keeps what was damaged, and says how much is lost', async () => {
    const world = await makeWorld();
    await world.kit.inject(sqlitePage, { file: world.file });
    await heal(world);
    const [name = ''] = await readdir(`${world.file}.quarantine`);
    expect(await readdir(join(`${world.file}.quarantine`, name))).toContain('orders.db');
    expect(world.database.lastRestore()?.lostMs).toBeGreaterThan(0);
    expect(await world.database.probe(signal)).toMatchObject({
      status: 'HEALTHY',
      note: expect.stringContaining('what was written in the'),
    });
  });

  it('does again what the application kept of its writes since the backup', async () => {
    const replayed: number[] = [];
    const world = await makeWorld({
      ports: ({ ask }) => ({
        replay: async (since) => {
          replayed.push(since);
          await ask('open');
          await ask('insert');
          await ask('close');
        },
      }),
    });
    const [backup] = await world.database.backups(signal);
    await world.kit.inject(sqlitePage, { file: world.file });
    expect((await heal(world)).outcome).toBe('restored');
    expect(replayed).toEqual([backup?.takenAt]);
    expect(await world.ask('count')).toBe(1_001);
  });

  it('takes the newest backup that is whole, not the newest', async () => {
    const world = await makeWorld();
    await world.ask('insert');
    const { id } = await world.database.takeBackup();
    await writeFile(join(world.folder, 'backups', `${id}.sqlite`), 'no backup any more');
    await world.kit.inject(sqlitePage, { file: world.file, how: 'header' });
    expect((await heal(world)).outcome).toBe('restored');
    expect(await world.ask('count')).toBe(1_000);
  });

  it('leaves the file where it is when there is no backup that is whole', async () => {
    const world = await makeWorld();
    const [backup] = await world.database.backups(signal);
    await writeFile(join(world.folder, 'backups', `${backup?.id}.sqlite`), 'no backup any more');
    await world.kit.inject(sqlitePage, { file: world.file });
    const before = await world.fingerprint();
    expect(await heal(world)).toMatchObject({
      outcome: 'escalated',
      reason: expect.stringContaining('no backup that is whole'),
    });
    expect(await world.fingerprint()).toEqual(before);
  });

  it('restores nothing under an application that does not let go of the file', async () => {
    const world = await makeWorld({ ports: { writers: { stop: async () => undefined } } });
    await world.kit.inject(sqlitePage, { file: world.file });
    const before = await world.fingerprint();
    expect(await heal(world)).toMatchObject({
      outcome: 'escalated',
      reason: expect.stringContaining('still has'),
    });
    expect(await world.fingerprint()).toEqual(before);
  });
});
