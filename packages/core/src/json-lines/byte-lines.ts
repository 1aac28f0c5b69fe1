/** One line as it came in, without its newline. */
export type ByteLine =
  | { kind: 'line'; line: number; bytes: Buffer; isTerminated: boolean }
  | { kind: 'tooLong'; line: number };

const NEWLINE = 0x0a;

/**
 * Cuts chunks of bytes into lines, counted from 1. Holds at most one line of `maxLineBytes`: a longer one is dropped as it
 * comes in, and told of when it ends.
 */
export class ByteLines {
  readonly #maxLineBytes: number;
  #line = 1;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<ByteLine> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      yield this.#end(chunk.subarray(start, end), true);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** What is left when no more chunks come: a last line without its newline, or nothing. */
  *finish(): Generator<ByteLine> {
    if (this.#length > 0) yield this.#end(Buffer.alloc(0), false);
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#maxLineBytes) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  #end(piece: Buffer, isTerminated: boolean): ByteLine {
    const line = this.#line++;
    const pieces = this.#pieces;
    const length = this.#length + piece.length;
    this.#pieces = [];
    this.#length = 0;
    if (length > this.#maxLineBytes) return { kind: 'tooLong', line };
    const bytes = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece], length);
    return { kind: 'line', line, bytes, isTerminated };
  }
}
