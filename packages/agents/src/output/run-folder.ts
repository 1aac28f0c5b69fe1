import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type NewId, randomId } from '@buddy/core';
import { OutputFailedError, OutputFolderTakenError } from './errors.ts';

export interface PrepareOutputFolderOptions {
  /** Whether a folder that is not empty may be replaced. Default false. */
  force?: boolean;
}

/**
 * Makes sure that `folder` exists and is empty.
 *
 * With `force`, old content goes in one step: the folder is renamed to a hidden sibling, made anew, and only then is the
 * sibling removed, so that under the folder's own name there is never a half-deleted run.
 * @throws {OutputFolderTakenError} When it is not empty and `force` is not set, when it is not a folder, or when it holds a
 *   folder of `keep`: the working and the home folder by default.
 * @throws {OutputFailedError} When it cannot be made or moved.
 */
export async function prepareOutputFolder(
  folder: string,
  { force = false }: PrepareOutputFolderOptions = {},
  {
    keep = [process.cwd(), homedir()],
    newId = randomId('replaced'),
  }: { keep?: readonly string[]; newId?: NewId } = {},
): Promise<void> {
  try {
    if ((await entriesOf(folder)).length === 0) return;
    if (!force) {
      throw new OutputFolderTakenError(
        folder,
        `${folder} is not empty. Choose another folder, or use force to replace what is in it.`,
      );
    }
    await replaceFolder(await realpath(folder), keep, newId); // of a link, what it leads to
  } catch (error) {
    if (error instanceof OutputFolderTakenError) throw error;
    throw new OutputFailedError(folder, error);
  }
}

/** What is in a folder, which is made when it is missing. */
async function entriesOf(folder: string): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true });
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOTDIR')) {
      throw new OutputFolderTakenError(folder, `${folder} is not a folder, or lies below a file.`);
    }
    throw error;
  }
}

async function replaceFolder(folder: string, keep: readonly string[], newId: NewId): Promise<void> {
  for (const path of keep) {
    if (!isWithin(folder, await realPathOf(path))) continue;
    throw new OutputFolderTakenError(
      folder,
      `${folder} will not be replaced, for it is or holds ${path}. Choose another folder.`,
    );
  }
  const aside = join(dirname(folder), `.${basename(folder)}.${newId()}`);
  await rename(folder, aside);
  try {
    await mkdir(folder);
  } catch (error) {
    await rename(aside, folder);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Where a path leads; a path to nothing is what it says. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return path;
    throw error;
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, resolve(path));
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/**
 * Makes and returns the next folder `run-N` in `parent`: one above the highest there is, from 1. Two processes never get
 * the same.
 * @throws {OutputFailedError} When it cannot be made.
 * @example
 * await nextRunFolder('out'); // 'out/run-1'
 */
export async function nextRunFolder(parent: string): Promise<string> {
  try {
    await mkdir(parent, { recursive: true });
    const numbers = (await readdir(parent)).map(runNumber);
    for (let number = 1 + numbers.reduce((a, b) => Math.max(a, b), 0); ; number += 1) {
      const folder = join(parent, `run-${number}`);
      if (await isMade(folder)) return folder;
    }
  } catch (error) {
    throw new OutputFailedError(parent, error);
  }
}

function runNumber(name: string): number {
  return Number(/^run-([1-9]\d{0,8})$/u.exec(name)?.[1] ?? 0);
}

/** False when somebody else was faster. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder); // not recursive, which would be content with one that exists
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
