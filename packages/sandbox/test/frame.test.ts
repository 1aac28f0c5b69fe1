import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

describe('a frame reader', () => {
  it('gives back the messages that were framed, however the bytes are cut', () => {
    const message = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 4,
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(64), { maxLength: 64 }),
        (messages, cuts) => {
          const sent = messages.map((each) => JSON.parse(JSON.stringify(each)));
          let bytes = Buffer.concat(messages.map((each) => encodeFrame(each)));
          const chunks: Buffer[] = [];
          for (const cut of cuts) {
            chunks.push(bytes.subarray(0, cut));
            bytes = bytes.subarray(cut);
          }
          expect(readAll(new FrameReader(1_000_000), [...chunks, bytes])).toEqual(sent);
        },
      ),
    );
  });
  it('answers any bytes with messages or a BadFrameError, and after one with nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 32 }), { maxLength: 16 }), (chunks) => {
        const reader = new FrameReader(MAX_BYTES);
        const outcomes = chunks.map((chunk) => outcomeOf(() => readAll(reader, [chunk])));
        const failedAt = outcomes.indexOf('bad frame');
        const expected = outcomes.map((_, at) =>
          failedAt >= 0 && at >= failedAt ? 'bad frame' : 'messages',
        );
        expect(outcomes).toEqual(expected);
      }),
    );
  });
  it('refuses a frame that says it is too long before any of it has come', () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(MAX_BYTES + 1, 0);
    expect(() => [...new FrameReader(MAX_BYTES).push(header)]).toThrow(
      'longer than the limit of 4096',
    );
  });
  it.each([['[]'], ['1'], ['null'], ['{not json'], ['']])('refuses a frame of %j', (text) => {
    const body = Buffer.from(text);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(body.length, 0);
    expect(() => [...new FrameReader(MAX_BYTES).push(Buffer.concat([header, body]))]).toThrow(
      BadFrameError,
    );
  });
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
});
