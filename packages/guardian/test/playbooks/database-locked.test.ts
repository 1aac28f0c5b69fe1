import { databaseLocked, type ProcessIdentity } from '@buddy/guardian';
import { sqliteLock } from '@buddy/guardian/faults';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook, type PlaybookWorld } from '../playbook-contract.ts';
import { healOnce, noticeAndHeal } from '../worlds/heal-once.ts';
import { makeSqliteWorld, type SqliteWorld } from '../worlds/sqlite-world.ts';

const { signal } = new AbortController();

/** What holds the lock rolls back when it is sent this signal: that is what it and the application have agreed on. */
const agreed = {
  isOurs: async () => true,
  endTransaction: async ({ pid }: ProcessIdentity) => void process.kill(pid, 'SIGUSR2'),
};

describePlaybook(databaseLocked, async (): Promise<PlaybookWorld> => {
  const world = await makeSqliteWorld({ ports: { writers: agreed } });
  const { database } = world;
  return {
    resources: [{ id: 'orders', adapter: database }],
    subject: 'orders',
    fault: world.kit.rehearsed(sqliteLock, () => ({ file: world.file })),
    symptom: async () => ({ signal: 'database.locked' }),
    state: async () => ({
      limit: database.writerLimit(),
      isHeld: (await database.lockHolders(signal)).length > 0,
    }),
    // A transaction that was given up is not taken up again.
    afterRollback: () => ({ limit: 4, isHeld: false }),
    close: () => world.close(),
  };
});

function heal({ database }: SqliteWorld) {
  // With what may run unattended by default: nothing is rehearsed.
  return healOnce(database, { playbooks: [databaseLocked], told: 'database.locked', autonomy: {} });
}

describe('playbook database_locked', { timeout: 30_000 }, () => {
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
