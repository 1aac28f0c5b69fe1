import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FileAccessError } from '../file-access-error.ts';
import { type NewId, randomId } from '../ids.ts';
import { syncFolder } from './sync-folder.ts';

export interface AtomicWriteOptions {
  /** Permission bits, such as 0o600. Default: those of the file that is replaced, else what the umask leaves of 0o666. */
  mode?: number;
}

/**
 * Writes a whole file so that a reader, and a machine that comes up after a crash, sees the old content or the new, never
 * a part. Once it resolves, the new content survives a power cut. A symbolic link is followed; the owner of a replaced
 * file is not kept.
 * @throws {FileAccessError} When it cannot be written. The old content stays, and no temporary file is left behind.
 * @example
 * await writeFileAtomic('out/run.json', JSON.stringify(run));
 */
// Own code: write-file-atomic 8.0.0 and atomically 2.1.1, by their published sources, sync the file and rename it, but do
// not sync the folder, without which the rename itself may be lost; write-file-atomic also brings no types.
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode }: AtomicWriteOptions = {},
  { newId = randomId('tmp') }: { newId?: NewId } = {},
): Promise<void> {
  try {
    const target = await followLink(path);
    const temporary = join(dirname(target), temporaryName(basename(target), newId()));
    const permissions = mode ?? (await modeOf(target));
    const file = await open(temporary, 'wx', permissions); // x: never into what is somebody else's
    try {
      await writeDurably(file, content, permissions);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  } catch (error) {
    throw new FileAccessError('write', path, error);
  }
}

/**
 * Where a file is or is to be: links may lead to one that is not there yet. A path that is no link, to a file that is not
 * there, is given back as it is.
 * @throws What `realpath` throws: it refuses links that go in circles.
 * @example
 * await followLink('bots.json'); // '/srv/bots.json', whether that is there yet or not, when bots.json is a link to it
 */
export async function followLink(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const next = await linkedFrom(path);
    // A new file, or one whose folder is missing: open() will say so.
    return next === undefined ? path : followLink(next);
  }
}

async function linkedFrom(path: string): Promise<string | undefined> {
  try {
    // A relative link starts from the folder that the link is really in.
    return resolve(await realpath(dirname(path)), await readlink(path));
  } catch (error) {
    if (isMissing(error) || hasCode(error, 'EINVAL')) return undefined; // EINVAL: no link
    throw error;
  }
}

/** Of the name, for whoever finds one left by a crash. Names have at most 255 bytes, and a character up to four. */
const LONGEST_PREFIX = 32;

function temporaryName(name: string, id: string): string {
  return `.${Array.from(name).slice(0, LONGEST_PREFIX).join('')}.${id}`;
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o7777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function writeDurably(
  file: FileHandle,
  content: string | Uint8Array,
  mode: number | undefined,
): Promise<void> {
  try {
    if (mode !== undefined) await file.chmod(mode); // open() lets the umask take bits away
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
