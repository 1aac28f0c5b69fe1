import type { Refuse } from './traps.ts';

/** The only files there are: in memory, gone with the run. Names are relative, `/tmp/` in front of one is let pass. */
export interface Scratch {
  write(name: string, text: string): void;
  append(name: string, text: string): void;
  read(name: string): string;
  exists(name: string): boolean;
  /** Removes a file; false when there was none. */
  remove(name: string): boolean;
  /** Names of all files, or of those in a folder, sorted. */
  list(folder?: string): string[];
}

export interface ScratchLimits {
  maxScratchBytes: number;
  maxScratchFiles: number;
}

export function createScratch(limits: ScratchLimits, refuse: Refuse): Scratch {
  const files = new Map<string, string>();
  let usedBytes = 0;

  function keep(name: string, text: string): void {
    const before = files.get(name);
    // A character takes two bytes at most in memory.
    const after = usedBytes + 2 * (text.length - (before?.length ?? 0));
    if (after > limits.maxScratchBytes) {
      throw new RangeError(
        `scratch is full: ${name} would make it ${after} bytes, of ${limits.maxScratchBytes}`,
      );
    }
    if (before === undefined && files.size >= limits.maxScratchFiles) {
      throw new RangeError(`scratch is full: there may be ${limits.maxScratchFiles} files`);
    }
    files.set(name, text);
    usedBytes = after;
  }

  function nameOf(given: unknown): string {
    if (typeof given !== 'string') throw new TypeError('a file of scratch is named by a string');
    const name = given.replace(/^(?:\/tmp\/|\.\/)/, '');
    const isOutside = /^[/\\~]|^[a-z]:|^file:|\0/i.test(name) || name.split(/[/\\]/).includes('..');
    if (isOutside) {
      throw refuse(
        'FILESYSTEM_ATTEMPT',
        `${JSON.stringify(name.slice(0, 128))} is not in scratch. Use a relative name, such as "report.txt".`,
      );
    }
    if (name === '' || name.length > 256)
      throw new TypeError('a name in scratch has 1 to 256 characters');
    return name;
  }

  return {
    write: (name, text) => keep(nameOf(name), textOf(text)),
    append: (name, text) => keep(nameOf(name), (files.get(nameOf(name)) ?? '') + textOf(text)),
    read: (name) => {
      const text = files.get(nameOf(name));
      if (text !== undefined) return text;
      throw new Error(
        `scratch has no file ${JSON.stringify(name)}; it has ${files.size} files, see scratch.list()`,
      );
    },
    exists: (name) => files.has(nameOf(name)),
    remove: (name) => {
      const key = nameOf(name);
      usedBytes -= 2 * (files.get(key)?.length ?? 0);
      return files.delete(key);
    },
    list: (folder) => {
      const prefix =
        folder === undefined || folder === '' || folder === '.'
          ? ''
          : `${nameOf(folder).replace(/\/$/, '')}/`;
      return [...files.keys()].filter((name) => name.startsWith(prefix)).toSorted();
    },
  };
}

function textOf(given: unknown): string {
  if (typeof given === 'string') return given;
  throw new TypeError('scratch keeps text; use JSON.stringify for anything else');
}
