// By import, not as a global: the child's start realm has no globals left.
import { Buffer } from 'node:buffer';

const HEADER_BYTES = 4;
const EMPTY = Buffer.alloc(0);

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
 * Of a large frame, at most one byte in so many may begin a value. What `encodePlainData` writes into a frame of its limit
 * stays below; more would be built, by the parser, into a multiple of its size, and keep the reader busy for long.
 */
const LIMIT_BYTES_PER_VALUE = 24;
/** Frames that are too small to harm are not looked through. */
const SMALL_FRAME_BYTES = 65_536;

/**
 * Cuts a stream of bytes into messages, however the bytes are split.
 *
 * A frame's length is checked before anything of it is kept, so that a sender cannot make the reader hold more than
 * `maxFrameBytes`, and the number of values in it before it is parsed. After the first bad frame the reader throws the same
 * error for ever.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  /** The beginning of a frame that is not whole yet, in a buffer that doubles: a frame may come byte by byte. */
  #held: Buffer = EMPTY;
  #heldBytes = 0;
  #failure: BadFrameError | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * The messages that are complete now, one by one: what is done with the first happens before the second is parsed.
   * @throws {BadFrameError} At the first frame that is too long, holds too many values, is not JSON or not an object.
   */
  *push(chunk: Buffer): Generator<object, void> {
    if (this.#failure) throw this.#failure;
    let bytes = this.#heldBytes === 0 ? chunk : this.#append(chunk);
    for (let end = this.#frameEnd(bytes); end !== undefined; end = this.#frameEnd(bytes)) {
      const body = bytes.subarray(HEADER_BYTES, end);
      bytes = bytes.subarray(end);
      yield this.#parse(body);
    }
    this.#hold(bytes);
  }

  /** Where the first frame ends; undefined while it is not whole. */
  #frameEnd(bytes: Buffer): number | undefined {
    if (bytes.length < HEADER_BYTES) return undefined;
    const length = bytes.readUInt32BE(0);
    if (length > this.#maxFrameBytes) {
      throw this.#fail(
        `A frame of ${length} bytes is longer than the limit of ${this.#maxFrameBytes}`,
      );
    }
    const end = HEADER_BYTES + length;
    return bytes.length < end ? undefined : end;
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#heldBytes + chunk.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#heldBytes);
    this.#heldBytes = length;
    return this.#held.subarray(0, length);
  }

  /** Keeps what may be a part of what it held already. */
  #hold(rest: Buffer): void {
    this.#heldBytes = 0;
    if (rest.length === 0) this.#held = EMPTY;
    else if (rest.length <= this.#held.length) {
      rest.copy(this.#held);
      this.#heldBytes = rest.length;
    } else this.#append(rest);
  }

  #parse(body: Buffer): object {
    const maxValues = this.#maxFrameBytes / LIMIT_BYTES_PER_VALUE;
    if (body.length > SMALL_FRAME_BYTES && countValues(body) > maxValues)
      throw this.#fail(`A frame holds more than ${Math.floor(maxValues)} values`);
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
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return this.#failure;
  }
}

/** Of JSON, without parsing it: the commas, colons and opening brackets that stand outside of its texts. */
function countValues(json: Buffer): number {
  let count = 0;
  let isText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) {
      if (byte === BACKSLASH) at += 1;
    } else if (byte === COMMA || byte === COLON || byte === BRACKET || byte === BRACE) count += 1;
  }
  return count;
}

const [QUOTE, BACKSLASH, COMMA, COLON, BRACKET, BRACE] = Buffer.from('"\\,:[{');
