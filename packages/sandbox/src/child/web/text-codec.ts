import { Buffer } from 'node:buffer';
import { TextDecoder as NodeTextDecoder } from 'node:util';

/** `TextEncoder` of the Encoding standard. What it gives away is always a copy: Node's buffers share their memory. */
export class TextEncoder {
  static readonly name = 'TextEncoder'; // the child's program is minified
  get encoding(): string {
    return 'utf-8';
  }
  encode(text: unknown = ''): Uint8Array {
    return new Uint8Array(Buffer.from(String(text), 'utf8'));
  }
  encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      read += character.length;
      written += bytes.length;
    }
    return { read, written };
  }
  get [Symbol.toStringTag](): string {
    return 'TextEncoder';
  }
}

/** `TextDecoder` of the Encoding standard. Node's own works behind it, and is never handed out. */
export class TextDecoder {
  static readonly name = 'TextDecoder'; // the child's program is minified
  readonly #decoder: NodeTextDecoder;

  constructor(label: unknown = 'utf-8', options: { fatal?: unknown; ignoreBOM?: unknown } = {}) {
    const fatal = Boolean(options.fatal);
    const ignoreBOM = Boolean(options.ignoreBOM);
    try {
      this.#decoder = new NodeTextDecoder(String(label), { fatal, ignoreBOM });
    } catch {
      throw new RangeError(`The encoding ${String(label).slice(0, 64)} is not supported`);
    }
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  decode(input?: unknown, options: { stream?: unknown } = {}): string {
    const bytes = bytesOf(input);
    try {
      return this.#decoder.decode(bytes, { stream: Boolean(options.stream) });
    } catch {
      throw new TypeError(`The bytes are not valid ${this.encoding}`);
    }
  }
  get [Symbol.toStringTag](): string {
    return 'TextDecoder';
  }
}

/** A copy, of a class that no program has changed. */
function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array();
  if (ArrayBuffer.isView(input))
    return new Uint8Array(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError('TextDecoder decodes an ArrayBuffer or a view of one');
}
