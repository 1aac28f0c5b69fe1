import type { Reading } from '../reading.ts';
import type { Probed } from './probed.ts';

export interface DiskSpace {
  freeBytes: number;
  freeInodes: number;
  /** What should stay free. */
  reserveBytes: number;
  reserveInodes: number;
  /** How large the ballast is now, and how large it should be; 0 and 0 when there is none. */
  ballastBytes: number;
  fullBallastBytes: number;
}

/** A file that may be thrown away. */
export interface ReclaimableFile {
  /** Relative to the folder that is watched. */
  path: string;
  bytes: number;
  /** Ms since the epoch. */
  changedAt: number;
}

/** The file system below a folder, and what is kept there to have room when it is full. */
export interface DiskAdapter extends Probed {
  readonly kind: 'disk';
  space(signal: AbortSignal): Promise<DiskSpace>;
  /** Whether what is written there lands on the disk, and whether the reserve is free. */
  canWrite(signal: AbortSignal): Promise<Reading>;
  /** What may be thrown away (rotated logs, caches), the oldest first. */
  reclaimable(signal: AbortSignal): Promise<readonly ReclaimableFile[]>;
  /** Whether those who write what is not essential can be told to wait, and whether they do. */
  writers(signal: AbortSignal): Promise<'none' | 'writing' | 'paused'>;
  pauseWriters(signal: AbortSignal): Promise<void>;
  resumeWriters(signal: AbortSignal): Promise<void>;
  releaseBallast(signal: AbortSignal): Promise<void>;
  /** Makes the ballast as large as it should be, or as far as `keepFreeBytes` stay free. */
  armBallast(keepFreeBytes: number, signal: AbortSignal): Promise<void>;
  /** Moves the files to the spill folder, where there is one; else they are gone. */
  reclaim(paths: readonly string[], signal: AbortSignal): Promise<void>;
  /** Puts back those of them that were moved. */
  putBack(paths: readonly string[], signal: AbortSignal): Promise<void>;
}

/** A config file, the copy of it from good times, and the program that reads it. */
export interface ConfigFileAdapter extends Probed {
  readonly kind: 'config_file';
  /** The file alone: is it there, can it be read, does it fit its schema? */
  check(signal: AbortSignal): Promise<Reading>;
  /** Digest of what is there now; undefined when there is nothing. */
  digest(signal: AbortSignal): Promise<string | undefined>;
  /** Digest of what was good last; undefined when nothing ever was. */
  lastKnownGood(signal: AbortSignal): Promise<string | undefined>;
  /** Digest of what its reader has loaded; undefined when its reader does not run. */
  consumerGeneration(signal: AbortSignal): Promise<string | undefined>;
  /** Remembers under `name` what is there now, be it nothing; what is remembered under it already stays. */
  keepCopy(name: string, signal: AbortSignal): Promise<void>;
  restoreLastKnownGood(signal: AbortSignal): Promise<void>;
  /** Makes it as `keepCopy` found it. Does nothing when nothing was kept under `name`. */
  putBack(name: string, signal: AbortSignal): Promise<void>;
  /** Tells its reader to read it again. */
  reload(signal: AbortSignal): Promise<void>;
}
