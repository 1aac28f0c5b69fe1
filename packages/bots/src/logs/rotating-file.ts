import { appendFile, rename, rm, stat } from 'node:fs/promises';

export interface RotatingFileOptions {
  /** The file is put aside when it would get bigger. */
  readonly maxBytes: number;
  /** How many there are, with the one that is written to: `x.log`, `x.log.1`, `x.log.2`. */
  readonly maxFiles: number;
  /** The first failure of a row of them. */
  readonly onFailure: (error: unknown) => void;
}

/** What waits to be written; when the disk is slower than that, lines are left out. */
const MAX_WAITING_CHARACTERS = 1_048_576;

/**
 * A file of lines that cannot grow without bounds. Never throws and never makes its caller wait: what a full disk does not take
 * is left out, and the file says how many lines, once it takes some again.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #options: RotatingFileOptions;
  #waiting = '';
  #leftOut = 0;
  #size: number | undefined;
  #isFailing = false;
  #writing: Promise<void> | undefined;

  constructor(path: string, options: RotatingFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** @param line Without its end. */
  append(line: string): void {
    if (this.#waiting.length > MAX_WAITING_CHARACTERS) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting += `${line}\n`;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  /** Resolves when all that was appended is with the system, or was given up. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== '') {
      const lines = this.#takeLines();
      const told = this.#leftOut;
      const text = told > 0 ? `(${told} lines left out here)\n${lines}` : lines;
      try {
        await this.#write(text);
        this.#leftOut -= told;
        this.#isFailing = false;
      } catch (error) {
        this.#leftOut += lines.split('\n').length - 1;
        this.#size = undefined;
        if (!this.#isFailing) this.#options.onFailure(error);
        this.#isFailing = true;
      }
    }
  }

  /** As many as fit one file, and at least one. In characters, which is close enough. */
  #takeLines(): string {
    const { maxBytes } = this.#options;
    const fitting = this.#waiting.lastIndexOf('\n', maxBytes - 1);
    const end = this.#waiting.length <= maxBytes ? this.#waiting.length : fitting + 1;
    const upTo = end > 0 ? end : this.#waiting.indexOf('\n') + 1;
    const lines = this.#waiting.slice(0, upTo);
    this.#waiting = this.#waiting.slice(upTo);
    return lines;
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    this.#size ??= await sizeOf(this.#path);
    if (this.#size > 0 && this.#size + bytes > this.#options.maxBytes) {
      await this.#rotate();
      this.#size = 0;
    }
    await appendFile(this.#path, text, { mode: 0o600 });
    this.#size += bytes;
  }

  async #rotate(): Promise<void> {
    const nameOf = (index: number) => (index === 0 ? this.#path : `${this.#path}.${index}`);
    const last = this.#options.maxFiles - 1;
    await rm(nameOf(last), { force: true });
    for (let index = last - 1; index >= 0; index -= 1) {
      await rename(nameOf(index), nameOf(index + 1)).catch(ignoreMissing);
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    ignoreMissing(error);
    return 0;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
