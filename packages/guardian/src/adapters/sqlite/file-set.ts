import { chmod, mkdir, open, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { errorCode } from '../../probes/layers/layer.ts';

/** The journals that belong to a database file. One that is left beside another file would be played into it. */
const JOURNALS = ['-wal', '-shm', '-journal'];
const WRITE_BITS = 0o222;
const RECORD = 'set-aside.json';

const SetAside = z.object({ mode: z.int() });

/** Moves the file and its journals into `folder`. What is there already stays: a second call only finishes the first. */
export async function setAside(file: string, folder: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  const kept = join(folder, basename(file));
  if (await exists(kept)) return finishJournals(file, folder);
  await mkdir(folder, { recursive: true });
  if (there) {
    await writeFileAtomic(join(folder, RECORD), `${JSON.stringify({ mode: there.mode })}\n`);
    await rename(file, kept);
  }
  await moveJournals(file, folder);
  await syncFolder(dirname(file));
}

/** Moves back what was set aside, without the right to write. What stands in its place is removed. */
export async function putBackReadOnly(file: string, folder: string): Promise<void> {
  const kept = join(folder, basename(file));
  if (!(await exists(kept))) return; // it was put back, or there was no file
  if (await exists(file)) {
    await removeJournals(file);
    await rm(file);
  }
  // The file last: until it is there, a second call goes on where the first one ended.
  for (const journal of JOURNALS) await moveIfThere(kept + journal, file + journal);
  await rename(kept, file);
  const record = parseOrThrow(
    SetAside,
    JSON.parse(await readFile(join(folder, RECORD), 'utf8')),
    join(folder, RECORD),
  );
  await chmod(file, record.mode & 0o777 & ~WRITE_BITS);
  await rm(join(folder, RECORD));
  await rmdir(folder);
  await syncFolder(dirname(file));
}

export async function removeJournals(file: string): Promise<void> {
  for (const journal of JOURNALS) await rm(file + journal, { force: true });
}

/** So that a rename outlives a power failure. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** The first call may have ended between the file and its journals; then no new file stands in its place. */
async function finishJournals(file: string, folder: string): Promise<void> {
  if (!(await exists(file))) await moveJournals(file, folder);
}

async function moveJournals(file: string, folder: string): Promise<void> {
  for (const journal of JOURNALS) {
    await moveIfThere(file + journal, join(folder, basename(file) + journal));
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
