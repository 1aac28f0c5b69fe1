import { access, type FileHandle, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type AtomicWriteOptions, FileAccessError, type NewId, randomId } from '@buddy/core';
import { type Contents, EMPTY } from '../contents.ts';
import { RegistryDamagedError } from '../errors.ts';
import {
  generationInHead,
  HEAD_BYTES,
  NotARegistryError,
  parseContents,
  renderContents,
} from './file-text.ts';

/** Writes `text` to `path`, whole or not at all, and resolves once it is durable. */
export type WriteFile = (
  path: string,
  text: string,
  options: AtomicWriteOptions,
  ports: { newId: NewId },
) => Promise<void>;

/** What was read, and what the file looked like then. */
interface Reading {
  readonly contents: Contents;
  readonly stamp: string;
}

/** The one file that the registry is in. Who writes holds its lock; who reads needs none. */
export class RegistryFile {
  readonly path: string;
  readonly #write: WriteFile;
  #last: Reading | undefined;
  #wasThere = false;
  #isSwept = false;

  /** @param write Core's `writeFileAtomic`. */
  constructor(path: string, write: WriteFile) {
    this.path = path;
    this.#write = write;
  }

  get lockPath(): string {
    return `${this.path}.lock`;
  }

  /**
   * What the file says now. Reading changes nothing on the disk, whatever is found.
   * @throws {RegistryDamagedError} {TooNewError} {FileAccessError}
   */
  async read(): Promise<Contents> {
    const file = await openIfThere(this.path);
    if (!file) return await this.#contentsOfNoFile();
    try {
      const head = await readHead(file);
      const { stamp } = head;
      if (stamp === this.#last?.stamp) return this.#last.contents;
      const contents = parseContents(await textOf(file, head), this.path);
      this.#wasThere = true;
      this.#last = { contents, stamp };
      return contents;
    } catch (error) {
      if (error instanceof NotARegistryError) {
        throw new RegistryDamagedError(this.path, error.message, { isInPlace: true });
      }
      throw error instanceof Error && 'syscall' in error
        ? new FileAccessError('read', this.path, error)
        : error;
    } finally {
      await file.close();
    }
  }

  /** With the lock. @throws {FileAccessError} */
  async write(contents: Contents): Promise<void> {
    await this.#sweepOnce();
    this.#last = undefined; // whatever happens now, what is on the disk has to be looked at
    const text = renderContents(contents);
    const ports = { newId: randomId(TEMPORARY) };
    await this.#write(this.path, text, await this.#modeOfNew(), ports);
    const file = await open(this.path);
    try {
      const { stamp } = await readHead(file);
      this.#wasThere = true;
      this.#last = { contents, stamp };
    } finally {
      await file.close();
    }
  }

  /**
   * With the lock: gives what is there a name that nothing else has.
   * @returns That name.
   */
  async setAside(at: number): Promise<string> {
    const stem = `${this.path}${DAMAGED}${new Date(at).toISOString().replaceAll(':', '-')}`;
    let name = stem;
    for (let count = 2; await isThere(name); count += 1) name = `${stem}-${count}`;
    await rename(this.path, name);
    this.#last = undefined;
    return name;
  }

  /** With the lock: whether somebody has replaced the file since it was read. False while there is none. */
  async isReplaced(): Promise<boolean> {
    const file = await openIfThere(this.path);
    if (!file) return false;
    try {
      const { stamp } = await readHead(file);
      return stamp !== this.#last?.stamp;
    } finally {
      await file.close();
    }
  }

  /** A registry that was there a moment ago, or was set aside, is not one that has no bots. */
  async #contentsOfNoFile(): Promise<Contents> {
    const setAsideAs = (await this.#damaged()).at(-1);
    if (setAsideAs !== undefined) {
      if (await isThere(this.path)) return await this.read(); // somebody has just begun anew
      throw new RegistryDamagedError(this.path, 'it was damaged', { setAsideAs });
    }
    if (this.#wasThere) {
      throw new RegistryDamagedError(this.path, 'the file has vanished');
    }
    return EMPTY;
  }

  /** What was set aside, the latest last. */
  async #damaged(): Promise<string[]> {
    const folder = dirname(this.path);
    const names = await namesIn(folder);
    return names
      .filter((name) => name.startsWith(`${basename(this.path)}${DAMAGED}`))
      .toSorted()
      .map((name) => join(folder, name));
  }

  /** A process that was killed while it wrote has left its temporary file; with the lock, nobody else writes one. */
  async #sweepOnce(): Promise<void> {
    if (this.#isSwept) return;
    const folder = dirname(this.path);
    const left = (await namesIn(folder)).filter((name) =>
      name.startsWith(`.${basename(this.path)}.${TEMPORARY}-`),
    );
    for (const name of left) await rm(join(folder, name), { force: true });
    this.#isSwept = true;
  }

  /** Command lines and process numbers are nobody else's business, unless a person has said so by chmod. */
  async #modeOfNew(): Promise<{ mode?: number }> {
    return (await isThere(this.path)) ? {} : { mode: 0o600 };
  }
}

const DAMAGED = '.damaged-';
const TEMPORARY = 'registry-tmp';

/**
 * Where the file really is: who comes by a symbolic link takes the same lock as all others.
 * @throws {FileAccessError} When its folder does not exist.
 */
export async function locate(path: string): Promise<string> {
  try {
    return (await isThere(path))
      ? await realpath(path)
      : join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    throw new FileAccessError('write', path, error);
  }
}

interface Head {
  readonly size: bigint;
  /** Equal for the same contents. */
  readonly stamp: string;
}

/**
 * The generation tells what registries wrote; time, size and inode what was done to the file without one. These alone would
 * not do: an inode is used again at once, and two writes may fall into one tick of the file system's clock.
 */
async function readHead(file: FileHandle): Promise<Head> {
  const stat = await file.stat({ bigint: true });
  const buffer = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await file.read(buffer, 0, HEAD_BYTES, 0);
  const generation = generationInHead(buffer.toString('utf8', 0, bytesRead));
  const stamp = [generation, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
  return { size: stat.size, stamp };
}

/** Never torn by a writer: it replaces the file, and this one stays whole for as long as it is open. */
async function textOf(file: FileHandle, { size }: Head): Promise<string> {
  const buffer = Buffer.alloc(Number(size));
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.toString('utf8', 0, length);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new FileAccessError('read', path, error);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new FileAccessError('read', folder, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
