import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFolderDisk, type DiskAdapter, type FolderDiskInput } from '@buddy/guardian';
import { diskFill } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { openGround } from './ground.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const KB = 1_024;
const MB = 1_024 * KB;
const DISK_BYTES = 8 * MB;

/** Why no tmpfs can be mounted here; undefined when one can. Found out by mounting one, and taking it away again. */
export const noTmpfs = ((): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root may mount a tmpfs';
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `a tmpfs cannot be mounted: ${String(error)}`;
  }
})();

export interface DiskWorld extends PlaybookWorld {
  disk: DiskAdapter;
  folder: string;
  spill: string;
}

/**
 * A disk of 8 MB with old logs, a ballast of 2 MB and a writer of what is not essential: a tmpfs of its own, or a folder of
 * this disk that may hold 8 MB.
 */
export async function openDiskWorld(
  kind: 'tmpfs' | 'quota',
  options: Partial<FolderDiskInput> = {},
  inodes = 0,
): Promise<DiskWorld> {
  const ground = await openGround('disk');
  const folder = join(ground.folder, 'disk');
  const spill = join(ground.folder, 'spill');
  await mkdir(folder);
  if (kind === 'tmpfs') {
    const size = `size=${DISK_BYTES},nr_inodes=${inodes}`; // 0 inodes: as many as there are
    await run('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]);
  }
  const quotaBytes = kind === 'quota' ? DISK_BYTES : undefined;
  await writeLogs(join(folder, 'logs'));
  let isPaused = false;
  const disk = createFolderDisk(
    {
      path: folder,
      reserveBytes: 256 * KB,
      reserveInodes: 10,
      ballastBytes: 2 * MB,
      reclaim: ['logs/*.log.*'],
      reclaimOlderThanMs: 1_000,
      spillFolder: spill,
      ...(quotaBytes !== undefined && { quotaBytes }),
      ...options,
    },
    {
      writers: {
        arePaused: async () => isPaused,
        pause: async () => {
          isPaused = true;
        },
        resume: async () => {
          isPaused = false;
        },
      },
    },
  );
  await disk.armBallast(256 * KB, signal);
  return {
    disk,
    folder,
    spill,
    resources: [{ id: 'data', adapter: disk }],
    subject: 'data',
    fault: ground.kit.rehearsed(diskFill, () => ({
      folder,
      ...(quotaBytes !== undefined && { quotaBytes }),
    })),
    symptom: async () => ({ signal: 'disk.full' }),
    handBack: () => writeLogs(join(folder, 'logs')), // days pass, and there are old logs again
    state: async () => ({ files: await hashFiles(folder), isPaused }),
    close: () =>
      ground.close(async () => {
        if (kind === 'tmpfs') await run('umount', [folder]);
      }),
  };
}

/** Four rotated logs, one of 512 KB a day, and the one that is being written. */
async function writeLogs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const day of [1, 2, 3, 4]) {
    const path = join(folder, `app.log.${day}`);
    await writeFile(path, Buffer.alloc(512 * KB, day));
    const at = 1_700_000_000 - day * 86_400;
    await utimes(path, at, at);
  }
  await appendFile(join(folder, 'app.log'), 'still written\n');
}

/** Every file but the filler, with its content. */
async function hashFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hashes: Record<string, string> = {};
  for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
    if (name.endsWith('.fill')) continue;
    const content = await readFile(join(parentPath, name));
    // A ballast that was made anew is as large, and of other chance.
    hashes[name] =
      name === '.guardian-ballast'
        ? `${content.length} bytes`
        : createHash('sha256').update(content).digest('hex');
  }
  return hashes;
}
