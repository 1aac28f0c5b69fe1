import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ManualClock } from '@buddy/core';
import { createFolderDisk } from '@buddy/guardian';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const { signal } = new AbortController();
const program = new URL('../children/probe-disk.ts', import.meta.url).pathname;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guardian-disk-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('the disk below a folder', () => {
  it('is full when a limit of the process forbids the write, however much is free', async () => {
    // 32 blocks of 1 KiB: less than the 64 KiB that are tried.
    const script = `ulimit -f 32; exec "${process.execPath}" --conditions=@buddy/source "${program}" "${folder}"`;
    const { stdout } = await run('bash', ['-c', script]);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'FAILED',
      signal: 'disk.full',
      note: expect.stringContaining('EFBIG'),
    });
  });

  it('tells that it will be full in less than an hour, as things go, and not when one file came', async () => {
    const clock = new ManualClock();
    const options = { path: folder, quotaBytes: 2_000_000, reserveBytes: 1_000, ballastBytes: 0 };
    const [steady, once] = [
      createFolderDisk({ ...options, reserveInodes: 0 }, { clock }),
      createFolderDisk({ ...options, reserveInodes: 0, path: folder }, { clock }),
    ];
    await writeFile(join(folder, 'once'), Buffer.alloc(1_000_000));
    for (let minutes = 0; minutes < 6; minutes += 1) {
      expect(await once.probe(signal)).toEqual({ status: 'HEALTHY' });
      await clock.advance(60_000);
    }
    for (let minutes = 0; minutes < 6; minutes += 1) {
      await steady.probe(signal);
      await writeFile(join(folder, `log.${minutes}`), Buffer.alloc(30_000));
      await clock.advance(60_000);
    }
    expect(await steady.probe(signal)).toMatchObject({
      status: 'DEGRADED',
      signal: 'disk.filling',
      note: expect.stringMatching(/reached in \d+ s/),
    });
  });

  it('is low when less than the reserve is free', async () => {
    const disk = createFolderDisk({
      path: folder,
      quotaBytes: 2_000_000,
      reserveBytes: 1_900_000,
      ballastBytes: 0,
    });
    await writeFile(join(folder, 'file'), Buffer.alloc(200_000));
    expect(await disk.canWrite(signal)).toMatchObject({ status: 'DEGRADED', signal: 'disk.low' });
  });

  it('is not known when the folder is gone', async () => {
    const disk = createFolderDisk({ path: join(folder, 'gone'), ballastBytes: 0 });
    await expect(disk.probe(signal)).rejects.toThrow('ENOENT');
  });

  it('takes no glob that leads out of the folder, and no ballast that would not be enough', () => {
    const [outside, absolute] = [['../*.log'], ['/var/log/*']];
    const below = 'below the folder';
    expect(() => createFolderDisk({ path: folder, reclaim: outside })).toThrow(below);
    expect(() => createFolderDisk({ path: folder, reclaim: absolute })).toThrow(below);
    const small = { path: folder, reserveBytes: 10, ballastBytes: 5 };
    expect(() => createFolderDisk(small)).toThrow('would not be enough');
  });
});
