import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChildMessage } from '../src/protocol/child-message.ts';
import { BadFrameError, encodeFrame, FrameReader } from '../src/protocol/frame.ts';
import { encodePlainData } from '../src/protocol/plain-data.ts';

const MAX_BYTES = 4_096;

function readAll(reader: FrameReader, chunks: readonly Uint8Array[]): object[] {
  return chunks.flatMap((chunk) => [...reader.push(Buffer.from(chunk))]);
}

function outcomeOf(read: () => object[]): string {
  try {
    return read().every((message) => typeof message === 'object') ? 'messages' : 'something else';
  } catch (error) {
    return error instanceof BadFrameError ? 'bad frame' : String(error);
  }
}

/** A header that says whatever it likes, and a body. */
function frame(body: Uint8Array | string, declared?: number): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(declared ?? bytes.length, 0);
  return Buffer.concat([header, bytes]);
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = cuts.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

const message = fc.dictionary(
  fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('__proto__', 'constructor', 'toString')),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 4 },
);
const messages = fc.array(message, { maxLength: 8 });
/** What a child that is not ours may write: frames, right and wrong, and what is none. */
const hostileBytes = fc.array(
  fc.oneof(
    message.map((each) => encodeFrame(each)),
    fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 32 }).map((bytes) => frame(bytes)),
    fc.tuple(fc.string(), fc.nat(2 ** 32 - 1)).map(([text, declared]) => frame(text, declared)),
    fc
      .constantFrom('', '[]', '1', 'null', '{', '{}', '"x"', '{"a":1,"a":2}', 'NaN')
      .map((text) => frame(text)),
    fc.constantFrom(0, 1, MAX_BYTES, MAX_BYTES + 1, 2 ** 31, 2 ** 32 - 1).map((n) => frame('', n)),
  ),
  { maxLength: 12 },
);

describe('a frame reader', () => {
  it('takes the largest frame that plain data can fill, and none that holds more values', () => {
    const maxSize = 262_144;
    const maxFrameBytes = 6 * maxSize + 65_536;
    const read = (value: unknown): string => {
      const bytes = encodeFrame({ type: 'call', input: value });
      return outcomeOf(() => readAll(new FrameReader(maxFrameBytes), [bytes]));
    };
    for (const item of [
      '',
      '\u0001"\\',
      1,
      true,
      null,
      undefined,
      Number.NaN,
      1n,
      [],
      {},
      { a: 1 },
      { $: 1 },
      new Date(0),
      new Map([[1, 2]]),
      new Set(),
      new Error(''),
    ]) {
      let count = maxSize / 8;
      let encoded = encodePlainData(
        Array.from({ length: count }, () => item),
        { maxSize },
      );
      while (!encoded.ok) {
        count = Math.floor(count * 0.95);
        encoded = encodePlainData(
          Array.from({ length: count }, () => item),
          { maxSize },
        );
      }
      expect([item, read(encoded.wire)]).toEqual([item, 'messages']);
    }
    expect(read(Array.from({ length: maxSize / 2 }, () => []))).toBe('bad frame');
    expect(read(Array.from({ length: maxSize / 2 }, () => '').map((_, i) => i % 10))).toBe(
      'bad frame',
    );
    expect(read('[,{'.repeat(maxSize))).toBe('messages');
  });

  it('gives back the messages that were framed, however the bytes are cut', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 64 }), (given, places) => {
        const sent = given.map((each) => JSON.parse(JSON.stringify(each)));
        const bytes = Buffer.concat(given.map((each) => encodeFrame(each)));
        expect(readAll(new FrameReader(1_000_000), cutAt(bytes, places))).toEqual(sent);
      }),
    );
  });
  it('gives back the messages that were framed, byte by byte', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 2 }), (given) => {
        const bytes = Buffer.concat(given.map((each) => encodeFrame(each)));
        const single = Array.from(bytes, (byte) => Buffer.of(byte));
        expect(readAll(new FrameReader(1_000_000), single)).toHaveLength(given.length);
      }),
      { numRuns: 50 },
    );
  });
  it('waits for what is missing: a stream that breaks off gives the whole frames, and no error', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (given, place) => {
        const frames = given.map((each) => encodeFrame(each));
        const bytes = Buffer.concat(frames);
        const end = place % (bytes.length + 1);
        const ends = frames.map((_, index) =>
          frames.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0),
        );
        const reader = new FrameReader(1_000_000);
        expect(readAll(reader, [bytes.subarray(0, end)])).toHaveLength(
          ends.filter((each) => each <= end).length,
        );
        expect(readAll(reader, [bytes.subarray(end)])).toHaveLength(
          ends.filter((each) => each > end).length,
        );
      }),
    );
  });
  it('answers any bytes with messages or a BadFrameError, and after one with nothing else', () => {
    fc.assert(
      fc.property(hostileBytes, fc.array(fc.nat(), { maxLength: 16 }), (parts, places) => {
        const reader = new FrameReader(MAX_BYTES);
        const chunks = cutAt(Buffer.concat(parts), places);
        const outcomes = chunks.map((chunk) => outcomeOf(() => readAll(reader, [chunk])));
        const failedAt = outcomes.indexOf('bad frame');
        const expected = outcomes.map((_, at) =>
          failedAt >= 0 && at >= failedAt ? 'bad frame' : 'messages',
        );
        expect(outcomes).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });
  it('says the same of the same bytes, wherever they are cut', () => {
    fc.assert(
      fc.property(hostileBytes, fc.array(fc.nat(), { maxLength: 16 }), (parts, places) => {
        const bytes = Buffer.concat(parts);
        expect(heard(cutAt(bytes, places))).toEqual(heard([bytes]));
      }),
      { numRuns: 500 },
    );
  });
  it.each([MAX_BYTES + 1, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])(
    'refuses a frame of %i bytes before any of it has come, and makes no room for it',
    (declared) => {
      const before = process.memoryUsage().arrayBuffers;
      const reader = new FrameReader(MAX_BYTES);
      expect(() => readAll(reader, [frame('', declared)])).toThrow('longer than the limit of 4096');
      for (let i = 0; i < 100; i += 1)
        expect(() => readAll(reader, [Buffer.alloc(1_000)])).toThrow(BadFrameError);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    },
  );
  it('takes a frame of exactly the limit', () => {
    const body = JSON.stringify({ a: 'x'.repeat(MAX_BYTES - 8) });
    expect(readAll(new FrameReader(MAX_BYTES), [frame(body)])).toHaveLength(1);
    expect(outcomeOf(() => readAll(new FrameReader(MAX_BYTES - 1), [frame(body)]))).toBe(
      'bad frame',
    );
  });
  it('holds little more than the bytes that came, however small the pieces', () => {
    const pieces = 300_000;
    const reader = new FrameReader(1_000_000);
    readAll(reader, [frame('', pieces + 1)]);
    const before = heldBytes();
    // Each its own piece of memory, as a pipe hands them out.
    for (let i = 0; i < pieces; i += 1) readAll(reader, [Buffer.from(new ArrayBuffer(1))]);
    expect(heldBytes() - before).toBeLessThan(20 * pieces);
    expect(() => readAll(reader, [Buffer.alloc(1)])).toThrow('not JSON');
  });
  it.each([
    ['an array', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['what is no JSON', '{not json'],
    ['nothing', ''],
    ['a text', '"x"'],
    ['JSON with more behind it', '{}{}'],
    ['a mark of the order of bytes', '\uFEFF{}'],
  ])('refuses a frame of %s', (_what, text) => {
    expect(() => readAll(new FrameReader(MAX_BYTES), [frame(text)])).toThrow(BadFrameError);
  });
  it('reads bytes that are no UTF-8 as the sign for such, never as another key', () => {
    const body = Buffer.concat([
      Buffer.from('{"a'),
      Buffer.of(0xc0, 0xaf, 0xff),
      Buffer.from('":1}'),
    ]);
    const [read = {}] = readAll(new FrameReader(MAX_BYTES), [frame(body)]);
    expect(Object.keys(read)).toEqual(['a\uFFFD\uFFFD\uFFFD']);
  });
  it('keeps the last of two keys, and __proto__ as a key like any other', () => {
    const body = '{"type":"ready","type":"done","__proto__":{"polluted":1}}';
    const [read = {}] = readAll(new FrameReader(MAX_BYTES), [frame(body)]);
    expect(Object.hasOwn(read, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Reflect.get(read, 'type')).toBe('done');
  });
});

describe('a message of a child', () => {
  it('is one of seven forms or none, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(message, fc.object({ maxDepth: 3 }), fc.anything()), (value) => {
        expect(ChildMessage.safeParse(value).success).toBe(false);
      }),
    );
  });
  it('has no key too many, __proto__ among them', () => {
    expect(ChildMessage.safeParse({ type: 'ready' }).success).toBe(true);
    for (const text of [
      '{"type":"ready","__proto__":{}}',
      '{"type":"ready","constructor":1}',
      '{"type":"started","run":1,"__proto__":null}',
      '{"type":"__proto__"}',
      '{"type":"log","run":1,"level":"log","text":"","extra":1}',
      '{"type":"started","run":-1}',
      '{"type":"started","run":1.5}',
      '{"type":"started","run":9007199254740993}',
    ])
      expect({ text, ...ChildMessage.safeParse(JSON.parse(text)) }).toMatchObject({
        success: false,
      });
  });
});

/** After the garbage is gone. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Messages, and whether there was an error in the end. */
function heard(chunks: readonly Buffer[]): { messages: object[]; failed: boolean } {
  const reader = new FrameReader(MAX_BYTES);
  const heardSoFar: object[] = [];
  try {
    for (const chunk of chunks) for (const each of reader.push(chunk)) heardSoFar.push(each);
    return { messages: heardSoFar, failed: false };
  } catch (error) {
    if (!(error instanceof BadFrameError)) throw error;
    return { messages: heardSoFar, failed: true };
  }
}
