import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeFailure } from '@buddy/core';
import { errorCode, failed, unknown } from '../../probes/layers/layer.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';

const PROBE_BYTES = 65_536;
const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
let probes = 0;

/** Writes 64 KiB into a folder, has them synced, and takes them away again. */
export async function tryWriting(folder: string): Promise<Reading> {
  probes += 1;
  const path = join(folder, `.guardian-probe-${process.pid}-${probes}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES, 1));
      await file.sync();
    } finally {
      await file.close();
    }
    return HEALTHY;
  } catch (error) {
    return readFailure(error);
  } finally {
    await rm(path, { force: true });
  }
}

function readFailure(error: unknown): Reading {
  const code = errorCode(error);
  const { message } = describeFailure(error);
  if (NO_ROOM.has(code)) {
    const conditions = [{ name: 'disk_full' }];
    const note = message;
    return { status: 'FAILED', signal: 'disk.full', certainty: 'decisive', note, conditions };
  }
  if (code === 'EROFS') return failed('disk.read_only', 'decisive', message);
  if (code === 'EIO') return failed('disk.broken', 'decisive', message);
  const mayNot = code === 'EACCES' || code === 'EPERM';
  return unknown(mayNot ? 'no_permission' : 'probe_error', message);
}
