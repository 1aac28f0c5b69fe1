import { fstatSync, openSync, readSync, closeSync, ftruncateSync } from 'node:fs';

export interface FollowOptions {
  readonly everyMs: number;
  /** Beyond it the file is emptied once all of it has been read, so that it cannot fill the disk. */
  readonly maxBytes: number;
  readonly onBytes: (bytes: Buffer) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Hands on what is appended to a file by others, from its present end on. What is appended in the very moment in which the
 * file is emptied is lost.
 */
export class FileFollower {
  readonly #options: FollowOptions;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  readonly #buffer = Buffer.allocUnsafe(65_536);
  #position: number;
  #isClosed = false;

  /** @param from Where to begin; the end when left out. */
  constructor(path: string, options: FollowOptions, from?: number) {
    this.#options = options;
    this.#file = openSync(path, 'a+', 0o600);
    this.#position = from ?? fstatSync(this.#file).size;
    this.#timer = setInterval(() => this.poll(), options.everyMs);
    this.#timer.unref();
  }

  /** Hands on what there is by now. */
  poll(): void {
    if (this.#isClosed) return;
    try {
      this.#readOn();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.poll();
    this.#isClosed = true;
    clearInterval(this.#timer);
    closeSync(this.#file);
  }

  #readOn(): void {
    const { size } = fstatSync(this.#file);
    if (size < this.#position) this.#position = 0; // somebody emptied it
    while (this.#position < size) {
      const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#position);
      if (length === 0) break;
      this.#position += length;
      this.#options.onBytes(Buffer.from(this.#buffer.subarray(0, length)));
    }
    if (this.#position <= this.#options.maxBytes || fstatSync(this.#file).size > this.#position)
      return;
    ftruncateSync(this.#file, 0); // the writer appends, and so goes on at the new end
    this.#position = 0;
  }
}
