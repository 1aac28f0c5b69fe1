import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut, so that a program that never ends its line cannot fill our memory. */
const LONGEST_LINE = 8_192;

/** Turns a stream of bytes into lines of text, whole characters and without the line's end. */
export class LineSplitter {
  readonly #onLine: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #open = '';
  #leftOut = 0;

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine;
  }

  write(bytes: Buffer): void {
    const parts = this.#decoder.write(bytes).split('\n');
    const rest = parts.pop() ?? '';
    for (const part of parts) {
      this.#extend(part);
      this.end();
    }
    this.#extend(rest);
  }

  /** Hands over what has no line's end yet. */
  end(): void {
    const text = this.#open.endsWith('\r') ? this.#open.slice(0, -1) : this.#open;
    const isSomething = this.#open !== '' || this.#leftOut > 0;
    const leftOut = this.#leftOut > 0 ? `… (${this.#leftOut} characters left out)` : '';
    this.#open = '';
    this.#leftOut = 0;
    if (isSomething) this.#onLine(text + leftOut);
  }

  #extend(part: string): void {
    const room = LONGEST_LINE - this.#open.length;
    this.#open += part.slice(0, room);
    this.#leftOut += Math.max(0, part.length - room);
  }
}
