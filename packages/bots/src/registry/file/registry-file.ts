import {
  type BigIntStats,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
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
interface Reading extends Stamp {
  readonly contents: Contents;
}

/**
 * Equal for the same contents. The generation tells what registries wrote; inode, size and times what was done to the file
 * without one. These alone would not do: an inode is used again at once, and two writes may fall into one tick of the file
 * system's clock.
 */
interface Stamp {
  /** Undefined when the file does not begin as registries write it. */
  readonly generation: number | undefined;
  readonly outside: string;
}

/**
 * The one file that the registry is in. Who writes holds its lock; who reads needs none.
 *
 * To look whether it has changed is done at once and not in the thread pool: a few microseconds against a few hops, and
 * it is in the memory of the machine. Only what waits for the disk is waited for.
 */
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
  read(): Contents {
    const found = readIfChanged(this.path, this.#last);
    if (found === 'missing') return this.#contentsOfNoFile();
    this.#wasThere = true;
    if (found === 'unchanged') return this.#last?.contents ?? EMPTY;
    this.#last = { contents: this.#parse(found.text), ...found.stamp };
    return this.#last.contents;
  }

  /** With the lock: whether somebody without it has replaced the file since it was read. */
  isReplaced(): boolean {
    const stat = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (!stat) return false; // there is none to be lost
    return outsideOf(stat) !== this.#last?.outside;
  }

  /** With the lock. @throws {FileAccessError} */
  async write(contents: Contents): Promise<void> {
    await this.#sweepOnce();
    // Command lines and process numbers are nobody else's business, unless a person has said so by chmod.
    const mode = existsSync(this.path) ? {} : { mode: 0o600 };
    this.#last = undefined; // whatever happens now, what is on the disk has to be looked at
    await this.#write(this.path, renderContents(contents), mode, { newId: randomId(TEMPORARY) });
    this.#wasThere = true;
    const stat = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (!stat) return; // taken away at once: it was written all the same
    // What was malformed for the want of a template may be whole now, and has another place: that is found by reading.
    if (contents.malformed.length > 0) return;
    this.#last = { contents, generation: contents.generation, outside: outsideOf(stat) };
  }

  /**
   * With the lock: gives what is there a name that nothing else has.
   * @returns That name.
   */
  async setAside(at: number): Promise<string> {
    const stem = `${this.path}${DAMAGED}${new Date(at).toISOString().replaceAll(':', '-')}`;
    let name = stem;
    for (let count = 2; existsSync(name); count += 1) name = `${stem}-${count}`;
    await rename(this.path, name);
    this.#last = undefined;
    return name;
  }

  #parse(text: string): Contents {
    try {
      return parseContents(text, this.path);
    } catch (error) {
      if (!(error instanceof NotARegistryError)) throw error;
      throw new RegistryDamagedError(this.path, error.message, { isInPlace: true });
    }
  }

  /** A registry that was there a moment ago, or was set aside, is not one that has no bots. */
  #contentsOfNoFile(): Contents {
    const setAsideAs = this.#damaged().at(-1);
    if (setAsideAs !== undefined) {
      if (existsSync(this.path)) return this.read(); // somebody has just begun anew
      throw new RegistryDamagedError(this.path, 'it was damaged', { setAsideAs });
    }
    if (this.#wasThere) throw new RegistryDamagedError(this.path, 'the file has vanished');
    return EMPTY;
  }

  /** What was set aside, the latest last. */
  #damaged(): string[] {
    const folder = dirname(this.path);
    return namesIn(folder)
      .filter((name) => name.startsWith(`${basename(this.path)}${DAMAGED}`))
      .toSorted()
      .map((name) => join(folder, name));
  }

  /** A process that was killed while it wrote has left its temporary file; with the lock, nobody else writes one. */
  async #sweepOnce(): Promise<void> {
    if (this.#isSwept) return;
    const folder = dirname(this.path);
    const left = namesIn(folder).filter((name) =>
      name.startsWith(`.${basename(this.path)}.${TEMPORARY}-`),
    );
    for (const name of left) await rm(join(folder, name), { force: true });
    this.#isSwept = true;
  }
}

const DAMAGED = '.damaged-';
const TEMPORARY = 'registry-tmp';

function readIfChanged(
  path: string,
  last: Stamp | undefined,
): 'missing' | 'unchanged' | { text: string; stamp: Stamp } {
  try {
    const file = openSync(path, 'r');
    try {
      const stat = fstatSync(file, { bigint: true });
      const stamp = {
        generation: generationInHead(textOf(file, HEAD_BYTES)),
        outside: outsideOf(stat),
      };
      const isUnchanged = stamp.generation === last?.generation && stamp.outside === last?.outside;
      return isUnchanged ? 'unchanged' : { text: textOf(file, Number(stat.size)), stamp };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw new FileAccessError('read', path, error);
  }
}

function outsideOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Never torn by a writer: it replaces the file, and this one stays whole for as long as it is open. */
function textOf(file: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const read = readSync(file, buffer, length, bytes - length, length);
    if (read === 0) break;
    length += read;
  }
  return buffer.toString('utf8', 0, length);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new FileAccessError('read', folder, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
