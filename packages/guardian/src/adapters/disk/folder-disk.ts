import { lstat, stat, statfs } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import type { DiskAdapter, DiskSpace } from '../../resource/adapters/files.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { createBallast } from './ballast.ts';
import { createFillForecast } from './fill-forecast.ts';
import { createReclaimer, listFiles } from './reclaim.ts';
import { tryWriting } from './write-probe.ts';

const bytes = z.int().nonnegative();
const MB = 1_048_576;
const BALLAST_NAME = '.guardian-ballast';

export const FolderDiskOptions = z.strictObject({
  /** The folder whose file system is looked at. */
  path: z.string().min(1),
  /** What should stay free, in bytes. */
  reserveBytes: bytes.default(64 * MB),
  /** What should stay free, in inodes. */
  reserveInodes: z.int().nonnegative().default(1_000),
  /** A file of so many bytes that is deleted when the disk is full; 0 for none. At least the reserve. */
  ballastBytes: bytes.default(256 * MB),
  /** What may be thrown away, as globs below `path`: `logs/*.log.*`. Nothing else ever is. Default: nothing. */
  reclaim: z
    .array(
      z
        .string()
        .min(1)
        .refine((glob) => !isAbsolute(glob) && !glob.split('/').includes('..'), {
          error: 'has to stay below the folder: no leading slash, no ".."',
        }),
    )
    .default([]),
  /** Files changed within so many ms are left alone: somebody may be writing them. */
  reclaimOlderThanMs: z.number().nonnegative().default(60_000),
  /** A folder, best on another disk, to which they are moved instead of deleted. */
  spillFolder: z.string().min(1).optional(),
  /** How many bytes the folder may hold, where it shares its disk with others. It is walked for that. Default: the disk. */
  quotaBytes: z.int().positive().optional(),
  /** It is told when the reserve will be reached within so many ms, as things go. */
  forecastMs: z.number().positive().default(3_600_000),
  /** Looks over so many ms are what that is judged by. */
  forecastFromMs: z.number().positive().default(300_000),
});
export type FolderDiskInput = z.input<typeof FolderDiskOptions>;
export type FolderDiskOptions = z.output<typeof FolderDiskOptions>;

/** Those who write what is not essential: debug logs, caches, exports. */
export interface PausableWriters {
  pause(signal: AbortSignal): Promise<void>;
  resume(signal: AbortSignal): Promise<void>;
  arePaused(signal: AbortSignal): Promise<boolean>;
}

export interface FolderDiskPorts {
  clock?: Clock;
  writers?: PausableWriters;
}

/**
 * The file system below a folder. It is looked at by writing 64 KiB there and having them synced, for free blocks alone say
 * nothing of quotas, limits and read-only mounts.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const disk = createFolderDisk({ path: '/var/lib/app', reclaim: ['logs/*.log.*'], spillFolder: '/mnt/spill' });
 */
export function createFolderDisk(input: FolderDiskInput, ports: FolderDiskPorts = {}): DiskAdapter {
  const options = parseOrThrow(
    FolderDiskOptions.refine(
      ({ ballastBytes, reserveBytes }) => ballastBytes === 0 || ballastBytes >= reserveBytes,
      { error: 'less than reserveBytes: its release would not be enough', path: ['ballastBytes'] },
    ),
    input,
    'a folder disk',
  );
  const { clock = systemClock, writers } = ports;
  const { path, reserveBytes, reserveInodes, ballastBytes, quotaBytes } = options;
  const ballastPath = join(path, BALLAST_NAME);
  const free = () => readFree(path, quotaBytes);
  const ballast = createBallast(ballastPath, ballastBytes, async () => (await free()).freeBytes);
  const reclaimer = createReclaimer(options, clock);
  const forecast = createFillForecast(options, clock);

  const space = async (): Promise<DiskSpace> => ({
    ...(await free()),
    reserveBytes,
    reserveInodes,
    ballastBytes: await sizeOf(ballastPath),
    fullBallastBytes: ballastBytes,
  });
  const canWrite = async (): Promise<Reading> => {
    const { freeBytes, freeInodes } = await free();
    const written: Reading =
      quotaBytes !== undefined && freeBytes <= 0
        ? isFull(`the folder holds its ${quotaBytes} bytes`)
        : await tryWriting(path);
    if (written.status !== 'HEALTHY') return written;
    if (freeBytes < reserveBytes) {
      return degraded('disk.low', `${freeBytes} bytes are free, less than ${reserveBytes}`);
    }
    if (freeInodes < reserveInodes) {
      return degraded(
        'disk.inodes_low',
        `${freeInodes} inodes are free, less than ${reserveInodes}`,
      );
    }
    return HEALTHY;
  };
  return {
    kind: 'disk',
    space,
    canWrite,
    probe: async () => {
      const now = await space();
      const forecasted = forecast.add(now.freeBytes);
      const written = await canWrite();
      if (written.status !== 'HEALTHY') return written;
      if (forecasted.status !== 'HEALTHY') return forecasted;
      return readBallast(now);
    },
    reclaimable: () => reclaimer.list(),
    writers: async (signal) => {
      if (!writers) return 'none';
      return (await writers.arePaused(signal)) ? 'paused' : 'writing';
    },
    pauseWriters: async (signal) => writers?.pause(signal),
    resumeWriters: async (signal) => writers?.resume(signal),
    releaseBallast: () => ballast.release(),
    armBallast: (keepFreeBytes, signal) => ballast.arm(keepFreeBytes, signal),
    reclaim: (paths, signal) => reclaimer.reclaim(paths, signal),
    putBack: (paths, signal) => reclaimer.putBack(paths, signal),
  };
}

function readBallast({
  freeBytes,
  reserveBytes,
  ballastBytes,
  fullBallastBytes,
}: DiskSpace): Reading {
  const missing = fullBallastBytes - ballastBytes;
  if (missing <= 0) return HEALTHY;
  const note = `the ballast lacks ${missing} bytes`;
  if (freeBytes >= reserveBytes + missing) return degraded('disk.ballast_missing', note);
  return degraded(
    'disk.ballast_spent',
    `${note}, for which there is no room: somebody has to make some`,
  );
}

async function readFree(
  path: string,
  quotaBytes: number | undefined,
): Promise<{ freeBytes: number; freeInodes: number }> {
  const { bavail, bsize, ffree, files } = await statfs(path);
  const ofDisk = bavail * bsize;
  return {
    freeBytes:
      quotaBytes === undefined ? ofDisk : Math.min(ofDisk, quotaBytes - (await usedBy(path))),
    // File systems without a table of inodes say that they have none at all.
    freeInodes: files === 0 ? Number.MAX_SAFE_INTEGER : ffree,
  };
}

async function usedBy(path: string): Promise<number> {
  let used = 0;
  for await (const file of listFiles(path)) {
    const found = await lstat(file).catch(() => undefined); // gone since it was listed
    used += found?.size ?? 0;
  }
  return used;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function degraded(signal: string, note: string): Reading {
  return { status: 'DEGRADED', signal, note };
}

function isFull(note: string): Reading {
  return {
    status: 'FAILED',
    signal: 'disk.full',
    certainty: 'decisive',
    note,
    conditions: [{ name: 'disk_full' }],
  };
}
