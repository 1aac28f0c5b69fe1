import { lstat, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { defineFault } from './define-fault.ts';
import { FaultCapError } from './errors.ts';
import { AVAILABLE } from './host.ts';

const MOST_BYTES = 268_435_456;
const CHUNK_BYTES = 1_048_576;
/** Room for less than this is none. */
const NO_ROOM_BYTES = 65_536;

const Filled = z.strictObject({ path: z.string() });

/**
 * The file system of a folder has no room left: a tmpfs, a small volume; never one with more than 256 MB free, for that
 * would take room from others. Where there is none, `quotaBytes` says what the folder may hold, and it is filled up to that.
 * @example
 * await using fault = await kit.inject(diskFill, { folder: '/mnt/small' });
 */
export const diskFill = defineFault({
  kind: 'diskFill',
  description: 'A disk has no room left.',
  options: z.strictObject({
    folder: z.string().min(1),
    /** The folder is full when its files have so many bytes. Default: when the disk is. */
    quotaBytes: z.int().positive().optional(),
  }),
  note: Filled,
  caps: { seconds: 120, bytes: MOST_BYTES },
  capability: () => AVAILABLE,
  open: async ({ folder: given, quotaBytes }, { scratch, takeBytes }) => {
    const folder = resolve(given);
    const path = join(folder, `.${basename(scratch)}.fill`);
    const room = async () => {
      const { bavail, bsize } = await statfs(folder);
      const onDisk = bavail * bsize;
      return quotaBytes === undefined
        ? onDisk
        : Math.min(onDisk, quotaBytes - (await used(folder)));
    };
    const found = await room();
    if (found > MOST_BYTES) {
      throw new FaultCapError(
        `${folder} has ${found} bytes free, more than the ${MOST_BYTES} that this fault may take; use a small volume, or quotaBytes.`,
      );
    }
    return {
      note: { path },
      isPresent: async () => (await room()) < NO_ROOM_BYTES,
      apply: async (signal) => {
        const chunk = Buffer.alloc(CHUNK_BYTES, 1);
        const file = await open(path, 'wx', 0o600);
        try {
          for (;;) {
            signal.throwIfAborted();
            const length = Math.min(chunk.length, await room());
            if (length <= 0) break;
            takeBytes(length);
            await file.write(chunk, 0, length);
          }
        } catch (error) {
          const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
          if (!isFull) throw error;
        } finally {
          await file.close();
        }
      },
      revert: () => rm(path, { force: true }),
    };
  },
  recover: ({ path }) => rm(path, { force: true }),
  remains: async ({ path }) => (await stat(path).catch(() => undefined)) !== undefined,
});

async function used(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const found = await lstat(join(parentPath, name)).catch(() => undefined); // gone since it was listed
      return found?.size ?? 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
