import { fstatSync, openSync, readSync, closeSync, ftruncateSync } from 'node:fs';

export interface FollowOptions {
  readonly everyMs: number;
  /** Beyond it the file is emptied at the next look, read or not, so that it does not fill the disk. */
  readonly maxBytes: number;
  readonly onBytes: (bytes: Buffer) => void;
  /** So much was skipped: it was written faster than it is read. */
  readonly onLost: (bytes: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Of one look: a bot that writes without end must not hold up all others. */
const MAX_BYTES_AT_ONCE = 2 ** 20;

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
    this.#timer = setInterval(() => this.#look(() => this.#readOn()), options.everyMs);
    this.#timer.unref();
  }

  /** Hands on the last of what there is by now: nothing is expected any more. */
  drain(): void {
    this.#look(() => {
      const { size } = fstatSync(this.#file);
      if (size - this.#position > MAX_BYTES_AT_ONCE) this.#skipTo(size - MAX_BYTES_AT_ONCE);
      this.#readOn();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.drain();
    this.#isClosed = true;
    clearInterval(this.#timer);
    closeSync(this.#file);
  }

  #look(look: () => void): void {
    if (this.#isClosed) return;
    try {
      look();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #readOn(): void {
    const { size } = fstatSync(this.#file);
    if (size < this.#position) this.#position = 0; // somebody emptied it
    const end = Math.min(size, this.#position + MAX_BYTES_AT_ONCE);
    while (this.#position < end) {
      const most = Math.min(this.#buffer.length, end - this.#position);
      const length = readSync(this.#file, this.#buffer, 0, most, this.#position);
      if (length === 0) break;
      this.#position += length;
      this.#options.onBytes(Buffer.from(this.#buffer.subarray(0, length)));
    }
    const { size: written } = fstatSync(this.#file);
    if (written <= this.#options.maxBytes) return;
    if (written > this.#position) this.#skipTo(written);
    ftruncateSync(this.#file, 0); // the writer appends, and so goes on at the new end
    this.#position = 0;
  }

  #skipTo(position: number): void {
    this.#options.onLost(position - this.#position);
    this.#position = position;
  }
}
