import { hash } from 'node:crypto';
import { chown, mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { errorCode } from '../../probes/layers/layer.ts';

const ThereCopy = z.object({
  is: z.literal('there'),
  /** Base64: what is kept of a bad file is kept byte by byte. */
  content: z.base64(),
  digest: z.string(),
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
});
const Copy = z.discriminatedUnion('is', [
  ThereCopy,
  z.object({
    is: z.literal('absent'),
    /** The folders that were not there either, the outermost first. */
    missing_folders: z.array(z.string()),
  }),
]);
type ThereCopy = z.output<typeof ThereCopy>;
type Copy = z.output<typeof Copy>;

const GOOD = 'last-known-good';

/** Copies of one file: one record for each, written in one move, so that content, mode and owner are of one moment. */
export function createConfigCopies(path: string, folder: string) {
  const recordPath = (name: string) => join(folder, `${name}.json`);

  const read = async (name: string): Promise<Copy | undefined> => {
    const record = await readIfThere(recordPath(name));
    if (record === undefined) return undefined;
    return parseOrThrow(Copy, JSON.parse(record.toString('utf8')), `copy ${recordPath(name)}`);
  };
  const write = async (name: string, copy: Copy): Promise<void> => {
    await mkdir(folder, { recursive: true });
    // It may hold secrets: for nobody but us.
    await writeFileAtomic(recordPath(name), `${JSON.stringify(copy)}\n`, { mode: 0o600 });
  };
  const take = async (): Promise<Copy> => {
    const content = await readIfThere(path);
    const found = await stat(path).catch(() => undefined);
    if (content === undefined || !found) {
      return { is: 'absent', missing_folders: await missingFolders(dirname(path)) };
    }
    return {
      is: 'there',
      content: content.toString('base64'),
      digest: hash('sha256', content),
      mode: found.mode & 0o7777,
      uid: found.uid,
      gid: found.gid,
    };
  };
  const restore = async (copy: ThereCopy): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, Buffer.from(copy.content, 'base64'), { mode: copy.mode });
    // Only root may give files away. For others it is theirs, and whether its reader can read it is what the check shows.
    if (process.geteuid?.() === 0) await chown(path, copy.uid, copy.gid);
  };
  const good = async (): Promise<ThereCopy | undefined> => {
    const copy = await read(GOOD);
    return copy?.is === 'there' ? copy : undefined;
  };
  return {
    good,
    /** Keeps what is there as the last known good, unless it is that already, or is not good any more. */
    keepGood: async (parse: (text: string) => unknown): Promise<void> => {
      const now = await take();
      if (now.is === 'absent') return;
      const before = await good();
      if (before && before.digest === now.digest && before.mode === now.mode) return;
      parse(Buffer.from(now.content, 'base64').toString('utf8'));
      await write(GOOD, now);
    },
    restoreGood: async (): Promise<void> => {
      const copy = await good();
      if (!copy) {
        throw new GuardianMisuseError(
          `There is no copy of ${path} from good times; write it, and it is kept with the next look.`,
        );
      }
      await restore(copy);
    },
    keep: async (name: string): Promise<void> => {
      if ((await read(name)) === undefined) await write(name, await take());
    },
    putBack: async (name: string): Promise<void> => {
      const copy = await read(name);
      if (copy?.is === 'there') await restore(copy);
      if (copy?.is !== 'absent') return;
      await rm(path, { force: true });
      for (const missing of copy.missing_folders.toReversed()) await removeIfEmpty(missing);
    },
  };
}

async function missingFolders(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (found || dirname(folder) === folder) return [];
  return [...(await missingFolders(dirname(folder))), folder];
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // Somebody put something there, or it is gone: both are theirs.
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
