// By import, not as a global: the child's start realm has no globals left.
import { Buffer } from 'node:buffer';

const HEADER_BYTES = 4;
const MAX_PIECES = 1_024;

/** A frame that its sender should not have sent. Nothing after it can be trusted. */
export class BadFrameError extends Error {
  override readonly name = 'BadFrameError';
}

/** One message as bytes: its length in four bytes (big endian), then JSON in UTF-8. */
export function encodeFrame(message: object): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/**
 * Cuts a stream of bytes into messages, however the bytes are split.
 *
 * A frame's length is checked before anything of it is kept, so that a sender cannot make the reader hold more than
 * `maxFrameBytes`. After the first bad frame the reader throws the same error for ever.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  /** Chunks that came since some were joined. */
  #pieces = 0;
  /** Of the frame that is being read; undefined while its header is not complete. */
  #frameBytes: number | undefined;
  #failure: BadFrameError | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * The messages that are complete now, one by one: what is done with the first happens before the second is parsed.
   * @throws {BadFrameError} At the first frame that is too long, not JSON or not an object.
   */
  *push(chunk: Buffer): Generator<object, void> {
    if (this.#failure) throw this.#failure;
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    this.#joinPieces();
    for (let body = this.#nextBody(); body !== undefined; body = this.#nextBody())
      yield this.#parse(body);
  }

  /** A sender that writes byte by byte must not make the reader hold an object for each of them. */
  #joinPieces(): void {
    this.#pieces += 1;
    if (this.#pieces < MAX_PIECES) return;
    this.#chunks.push(Buffer.concat(this.#chunks.splice(-MAX_PIECES)));
    this.#pieces = 0;
  }

  #nextBody(): Buffer | undefined {
    if (this.#frameBytes === undefined) {
      if (this.#heldBytes < HEADER_BYTES) return undefined;
      const length = this.#take(HEADER_BYTES).readUInt32BE(0);
      if (length > this.#maxFrameBytes) {
        throw this.#fail(
          `A frame of ${length} bytes is longer than the limit of ${this.#maxFrameBytes}`,
        );
      }
      this.#frameBytes = length;
    }
    if (this.#heldBytes < this.#frameBytes) return undefined;
    const body = this.#take(this.#frameBytes);
    this.#frameBytes = undefined;
    return body;
  }

  #take(length: number): Buffer {
    const [first] = this.#chunks;
    const held =
      first !== undefined && first.length >= length ? first : Buffer.concat(this.#chunks);
    if (held !== first) this.#chunks = [held];
    const rest = held.subarray(length);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#heldBytes -= length;
    return held.subarray(0, length);
  }

  #parse(body: Buffer): object {
    let message: unknown;
    try {
      message = JSON.parse(body.toString('utf8'));
    } catch {
      throw this.#fail('A frame is not JSON');
    }
    if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message;
    throw this.#fail('A frame is not an object');
  }

  #fail(message: string): BadFrameError {
    this.#failure = new BadFrameError(message);
    this.#chunks = [];
    return this.#failure;
  }
}
