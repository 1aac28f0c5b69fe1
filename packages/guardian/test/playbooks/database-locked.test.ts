import { databaseLocked } from '@buddy/guardian';
import { sqliteLock } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { agreed, openLockedWorld } from '../worlds/database-locked.ts';
import { healOnce, noticeAndHeal } from '../worlds/heal-once.ts';
import { makeSqliteWorld, type SqliteWorld } from '../worlds/sqlite-world.ts';

const { signal } = new AbortController();

describePlaybook(databaseLocked, openLockedWorld);

function heal({ database }: SqliteWorld) {
  // With what may run unattended by default: nothing is rehearsed.
  return healOnce(database, { playbooks: [databaseLocked], told: 'database.locked', autonomy: {} });
}

describe('playbook database_locked', () => {
  const worlds: SqliteWorld[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  const makeWorld = async (...args: Parameters<typeof makeSqliteWorld>) => {
    const world = await makeSqliteWorld(...args);
    worlds.push(world);
    return world;
  };
  it('is told by the probe, and by the canary that cannot write in its time', async () => {
    const { database, kit, file } = await makeWorld({ canaryMs: 100 });
    await kit.inject(sqliteLock, { file });
    const locked = { status: 'FAILED', signal: 'database.locked', certainty: 'ambiguous' };
    expect(await database.probe(signal)).toMatchObject(locked);
    expect(await database.writeCanary(signal)).toMatchObject(locked);
  });

  it('notices by itself that nobody can write, and heals it', async () => {
    const world = await makeWorld({ ports: { writers: agreed } });
    const closed = await noticeAndHeal(world.database, {
      playbooks: [databaseLocked],
      inject: () => world.kit.inject(sqliteLock, { file: world.file }),
    });
    expect(closed).toEqual({ signal: 'database.locked', closedAs: 'restored' });
  });

  it('names the process that holds the lock', async () => {
    const { database, kit, file } = await makeWorld();
    await using fault = await kit.inject(sqliteLock, { file });
    const holder = await fault.handle.holder();
    expect(await database.lockHolders(signal)).toMatchObject([
      { id: `${holder?.pid}/${holder?.startTime}`, isOurs: false },
    ]);
  });

  it('lets half as many write at once, and the application write again', async () => {
    const world = await makeWorld({ ports: { writers: agreed } });
    await world.kit.inject(sqliteLock, { file: world.file });
    await expect(world.ask('insert')).rejects.toThrow('database is locked');
    expect((await heal(world)).outcome).toBe('restored');
    expect(world.database.writerLimit()).toBe(2);
    await world.ask('insert');
  });

  it('leaves the process alive whose transaction it ends', async () => {
    const world = await makeWorld({ ports: { writers: agreed } });
    const fault = await world.kit.inject(sqliteLock, { file: world.file });
    const before = await fault.handle.holder();
    await heal(world);
    expect(await fault.handle.holder()).toEqual(before);
    expect(await fault.isPresent()).toBe(false);
  });

  it('never touches a process that is not ours: somebody has to look', async () => {
    const world = await makeWorld();
    const fault = await world.kit.inject(sqliteLock, { file: world.file });
    const holder = await fault.handle.holder();
    expect(await heal(world)).toMatchObject({
      outcome: 'escalated',
      reason: expect.stringContaining(`(process ${holder?.pid}), which is not ours`),
    });
    expect(await fault.isPresent()).toBe(true);
    expect(world.database.writerLimit()).toBe(4);
  });

  it('does not end the transaction of a process that only has the number of the holder', async () => {
    const sent: number[] = [];
    const world = await makeWorld({
      ports: {
        writers: { ...agreed, endTransaction: async ({ pid }) => void sent.push(pid) },
      },
    });
    const fault = await world.kit.inject(sqliteLock, { file: world.file });
    const holder = await fault.handle.holder();
    await world.database.endTransaction(`${holder?.pid}/1`, signal);
    expect(sent).toEqual([]);
  });
});
