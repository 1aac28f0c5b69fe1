import type { LogLine } from './log-line.ts';

/** The last lines, as many as fit both limits. */
export class LogRing {
  readonly #maxLines: number;
  readonly #maxCharacters: number;
  #lines: LogLine[] = [];
  /** Lines before this one are gone; they are cut off now and then, not one by one. */
  #first = 0;
  #characters = 0;

  constructor({ maxLines, maxCharacters }: { maxLines: number; maxCharacters: number }) {
    this.#maxLines = maxLines;
    this.#maxCharacters = maxCharacters;
  }

  push(line: LogLine): void {
    this.#lines.push(line);
    this.#characters += line.text.length;
    while (this.#count() > this.#maxLines || this.#characters > this.#maxCharacters) {
      this.#characters -= this.#lines[this.#first]?.text.length ?? 0;
      this.#first += 1;
    }
    if (this.#first > this.#maxLines) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Oldest first. */
  last(count = this.#maxLines): readonly LogLine[] {
    return this.#lines.slice(Math.max(this.#first, this.#lines.length - count));
  }

  #count(): number {
    return this.#lines.length - this.#first;
  }
}
