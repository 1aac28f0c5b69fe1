import {
  chown,
  copyFile,
  glob,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  utimes,
} from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Clock } from '@buddy/core';
import { GuardianMisuseError } from '../../errors.ts';
import { errorCode } from '../../probes/layers/layer.ts';
import type { ReclaimableFile } from '../../resource/adapters/files.ts';

export interface ReclaimOptions {
  path: string;
  reclaim: readonly string[];
  reclaimOlderThanMs: number;
  spillFolder?: string | undefined;
}

/** Takes away what may be thrown away, and nothing else; where there is a spill folder, so that it can be put back. */
export function createReclaimer(options: ReclaimOptions, clock: Clock) {
  const { path: root, reclaim: globs, reclaimOlderThanMs, spillFolder } = options;

  const list = async (): Promise<ReclaimableFile[]> => {
    const paths = new Set<string>();
    for await (const path of glob([...globs], { cwd: root })) paths.add(path);
    const latest = clock.now() - reclaimOlderThanMs;
    const found = await Promise.all([...paths].map((path) => look(root, path)));
    return found
      .filter((file) => file !== undefined)
      .filter(({ changedAt }) => changedAt <= latest)
      .toSorted((a, b) => a.changedAt - b.changedAt || a.path.localeCompare(b.path));
  };
  return {
    list,
    reclaim: async (paths: readonly string[], signal: AbortSignal): Promise<void> => {
      const allowed = new Set((await list()).map(({ path }) => path));
      for (const path of paths) {
        signal.throwIfAborted();
        const file = join(root, path);
        if (!allowed.has(path)) {
          if (!(await exists(file))) continue; // rotated away meanwhile, or taken by the call before
          throw new GuardianMisuseError(
            `${file} is not among what may be thrown away; add a glob for it to \`reclaim\`, or leave it.`,
          );
        }
        if (spillFolder === undefined) await rm(file, { force: true });
        else await move(file, join(spillFolder, path));
      }
    },
    putBack: async (paths: readonly string[], signal: AbortSignal): Promise<void> => {
      if (spillFolder === undefined) return;
      for (const path of paths) {
        signal.throwIfAborted();
        const [spilled, file] = [join(spillFolder, path), join(root, path)];
        // What is in its place is newer, or was never moved: it is not overwritten.
        if ((await exists(spilled)) && !(await exists(file))) await move(spilled, file);
      }
    },
  };
}

/** All files below a folder; links are not followed. */
export async function* listFiles(folder: string): AsyncGenerator<string> {
  // A folder may go while it is walked.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* listFiles(path);
    else if (entry.isFile()) yield path;
  }
}

/** A real file that is really below the root: neither a link nor behind one. */
async function look(root: string, path: string): Promise<ReclaimableFile | undefined> {
  try {
    const found = await lstat(join(root, path));
    if (!found.isFile()) return undefined;
    const [realRoot, realFolder] = await Promise.all([
      realpath(root),
      realpath(dirname(join(root, path))),
    ]);
    const below = relative(realRoot, realFolder);
    if (below === '..' || below.startsWith(`..${sep}`)) return undefined;
    return { path, bytes: found.size, changedAt: found.mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    await moveToOtherDisk(from, to);
  }
}

/** Never less than a whole copy under the name: a crash leaves the original where it was. */
async function moveToOtherDisk(from: string, to: string): Promise<void> {
  const partial = `${to}.partial`;
  try {
    await copyFile(from, partial);
    const { atime, mtime, uid, gid } = await lstat(from);
    if (process.geteuid?.() === 0) await chown(partial, uid, gid); // nobody else may
    const file = await open(partial, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await utimes(partial, atime, mtime);
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rm(from, { force: true });
}
