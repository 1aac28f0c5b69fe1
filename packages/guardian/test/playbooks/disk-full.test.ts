import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGuardian, diskFull, type Guardian } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { type DiskWorld, noTmpfs, openDiskWorld } from '../worlds/disk.ts';

const { signal } = new AbortController();

describePlaybook(diskFull, () => openDiskWorld('quota'));

describe.skipIf(noTmpfs !== undefined)(
  `on a tmpfs of 8 MB${noTmpfs === undefined ? '' : ` (skipped: ${noTmpfs})`}`,
  () => {
    describePlaybook(diskFull, () => openDiskWorld('tmpfs'));

    it('is seen by a write that fails, and forbids restarts meanwhile', async () => {
      const world = await openDiskWorld('tmpfs');
      await world.fault.apply(signal);
      expect(await world.disk.probe(signal)).toMatchObject({
        status: 'FAILED',
        signal: 'disk.full',
        certainty: 'decisive',
        conditions: [{ name: 'disk_full' }],
      });
      await world.close();
    });

    it('heals a disk that has room and no inodes', async () => {
      const world = await openDiskWorld('tmpfs', { reserveInodes: 3 }, 40);
      const fill = async () => {
        for (let files = 0; files < 60; files += 1) {
          await writeFile(join(world.folder, `file-${files}`), '');
        }
      };
      await expect(fill()).rejects.toThrow('ENOSPC');
      expect((await world.disk.space(signal)).freeBytes).toBeGreaterThan(1_000_000);
      expect(await world.disk.probe(signal)).toMatchObject({ signal: 'disk.full' });
      await using guardian = createGuardian(
        { longestStableMs: 50 },
        { ...world, playbooks: [diskFull] },
      );
      await guardian.start();
      const report = { resource: 'data', signal: 'disk.full', certainty: 'decisive' } as const;
      const { outcome } = await guardian.report(report);
      expect(await outcome).toBe('restored');
      await guardian.stop();
      await world.close();
    });
  },
);

describe('playbook disk_full', () => {
  let world: DiskWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const heal = async (options: Parameters<typeof openDiskWorld>[1] = {}) => {
    world = await openDiskWorld('quota', options);
    guardian = createGuardian({ longestStableMs: 50 }, { ...world, playbooks: [diskFull] });
    await guardian.start();
    await world.fault.apply(signal);
    const { outcome } = await guardian.report({
      resource: 'data',
      signal: 'disk.full',
      certainty: 'decisive',
    });
    return outcome;
  };

  it('moves away the oldest of what may go, no more than it takes, and has its ballast again', async () => {
    expect(await heal()).toBe('restored');
    expect(await readdir(join(world.spill, 'logs'))).toEqual(['app.log.4']);
    expect(await readFile(join(world.folder, 'logs/app.log'), 'utf8')).toBe('still written\n');
    const { ballastBytes, fullBallastBytes } = await world.disk.space(signal);
    expect(ballastBytes).toBe(fullBallastBytes);
  });

  it('deletes it where there is no spill folder', async () => {
    expect(await heal({ spillFolder: undefined })).toBe('restored');
    expect(existsSync(join(world.folder, 'logs/app.log.4'))).toBe(false);
    expect(existsSync(world.spill)).toBe(false);
  });

  it('gives the ballast alone when nothing may be thrown away, and tells that there is none left', async () => {
    expect(await heal({ reclaim: [] })).toBe('restored');
    expect(await readdir(join(world.folder, 'logs'))).toHaveLength(5);
    expect(await world.disk.probe(signal)).toMatchObject({ signal: 'disk.ballast_spent' });
  });

  it('makes the ballast when there is none and there is room', async () => {
    world = await openDiskWorld('quota');
    await world.disk.releaseBallast(signal);
    expect(await world.disk.probe(signal)).toMatchObject({ signal: 'disk.ballast_missing' });
    guardian = createGuardian({ longestStableMs: 50 }, { ...world, playbooks: [diskFull] });
    await guardian.start();
    const { outcome } = await guardian.report({
      resource: 'data',
      signal: 'disk.ballast_missing',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('restored');
    expect(await world.disk.probe(signal)).toEqual({ status: 'HEALTHY' });
    expect(await readdir(join(world.folder, 'logs'))).toHaveLength(5);
  });

  it('never takes what is not named, nor what a link leads to', async () => {
    world = await openDiskWorld('quota', { reclaim: ['logs/**', 'out/**'] });
    const outside = join(world.spill, '..', 'precious');
    await mkdir(outside);
    await writeFile(join(outside, 'precious.log.1'), 'mine');
    await symlink(outside, join(world.folder, 'out'));
    await symlink(join(outside, 'precious.log.1'), join(world.folder, 'logs/link.log.1'));
    guardian = createGuardian({}, { resources: world.resources, playbooks: [diskFull] });
    const paths = (await world.disk.reclaimable(signal)).map(({ path }) => path);
    expect(paths).toEqual([4, 3, 2, 1].map((day) => `logs/app.log.${day}`));
    const tries = ['out/precious.log.1', 'logs/link.log.1', '../precious/precious.log.1'];
    for (const path of tries) {
      await expect(world.disk.reclaim([path], signal)).rejects.toThrow('may be thrown away');
    }
    expect(await readFile(join(outside, 'precious.log.1'), 'utf8')).toBe('mine');
  });
});
