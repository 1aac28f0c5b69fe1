import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  appendJsonLines,
  formatJsonLineProblem,
  type JsonLine,
  type JsonLinesSource,
  openJsonLinesAppender,
  readJsonLines,
  type ReadJsonLinesOptions,
  stringifyJsonLine,
} from '@buddy/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { z } from 'zod';
import { onSync } from './on-sync.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'buddy-json-lines-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function collect<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

async function read(
  source: JsonLinesSource,
  options?: ReadJsonLinesOptions,
): Promise<JsonLine<unknown>[]> {
  return collect(readJsonLines(source, options));
}

function valuesOf(lines: JsonLine<unknown>[]): unknown[] {
  return lines.flatMap((line) => (line.kind === 'value' ? [line.value] : []));
}

describe('reading JSON Lines', () => {
  it('gives each value with the number of its line', async () => {
    expect(await read(['{"a":1}\n[2]\n"three"\n'])).toEqual([
      { kind: 'value', line: 1, value: { a: 1 } },
      { kind: 'value', line: 2, value: [2] },
      { kind: 'value', line: 3, value: 'three' },
    ]);
  });

  it('accepts a byte order mark, CRLF, empty lines, and a last line without its newline', async () => {
    expect(await read(['\uFEFF1\r\n\r\n   \n2\n\n3'])).toEqual([
      { kind: 'value', line: 1, value: 1 },
      { kind: 'value', line: 4, value: 2 },
      { kind: 'value', line: 6, value: 3 },
    ]);
  });

  it('gives nothing for an empty source', async () => {
    expect(await read([])).toEqual([]);
    expect(await read(['', '\n', Buffer.alloc(0)])).toEqual([]);
  });

  it('reads a file, a Node stream and an array of chunks alike', async () => {
    const path = join(folder, 'numbers.jsonl');
    await writeFile(path, '1\n2\n');
    const expected = [
      { kind: 'value', line: 1, value: 1 },
      { kind: 'value', line: 2, value: 2 },
    ];
    expect(await read(path)).toEqual(expected);
    expect(await read(Readable.from([Buffer.from('1\n2\n')]))).toEqual(expected);
    expect(await read(new Blob(['1\n2\n']).stream())).toEqual(expected);
  });

  it('gives back what was written, wherever the chunks are cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 2 })),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        async (values, sizes) => {
          const bytes = Buffer.from(values.map(stringifyJsonLine).join(''));
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const lines = await read(chunks);
          expect(lines.map(({ line }) => line)).toEqual(values.map((_, index) => index + 1));
          // -0 is 0 in JSON
          expect(valuesOf(lines)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
      { numRuns: 50 },
    ));

  it('gives back text whose chunks are cut inside a character', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), async (values) => {
        const text = values.map(stringifyJsonLine).join('');
        // split('') cuts surrogate pairs in two
        expect(valuesOf(await read(text.split('')))).toEqual(values);
      }),
      { numRuns: 50 },
    ));

  it('reports what is not JSON and goes on, without quoting the line', async () => {
    const lines = await read(['1\n{"password":"hunter2",}\n{x}\n\n2\n'], { file: 'tasks.jsonl' });
    expect(lines).toMatchObject([
      { kind: 'value', line: 1 },
      { kind: 'problem', line: 2, file: 'tasks.jsonl', reason: 'NOT_JSON' },
      { kind: 'problem', line: 3, file: 'tasks.jsonl', reason: 'NOT_JSON' },
      { kind: 'value', line: 5, value: 2 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('reports a line that is not UTF-8', async () => {
    const lines = await read([Buffer.from([0x22, 0xff, 0x22, 0x0a]), '1']);
    expect(lines).toMatchObject([
      { kind: 'problem', line: 1, reason: 'NOT_UTF8' },
      { kind: 'value', line: 2, value: 1 },
    ]);
  });

  it('tells a torn last line from one that is merely wrong', async () => {
    expect(await read(['{"a":1}\n{"a":'])).toMatchObject([
      { kind: 'value' },
      { kind: 'problem', line: 2, reason: 'TORN' },
    ]);
    expect(await read(['{"a":1}\n{"a":\n'])).toMatchObject([
      { kind: 'value' },
      { kind: 'problem', line: 2, reason: 'NOT_JSON' },
    ]);
  });

  it('skips a line that is longer than `maxLineBytes`, also the last one', async () => {
    expect(await read(['1234\n12345\n1\n', '1234', '5'], { maxLineBytes: 4 })).toMatchObject([
      { kind: 'value', line: 1, value: 1234 },
      { kind: 'problem', line: 2, reason: 'TOO_LONG' },
      { kind: 'value', line: 3, value: 1 },
      { kind: 'problem', line: 4, reason: 'TOO_LONG' },
    ]);
  });

  it('holds no more of an endless line than `maxLineBytes`', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    let mostHeld = 0;
    function* endlessLine() {
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      for (let sent = 1; sent <= 100; sent += 1) {
        yield Buffer.alloc(2 ** 20, 'x');
        if (sent % 25 > 0) continue;
        collectGarbage();
        mostHeld = Math.max(mostHeld, process.memoryUsage().arrayBuffers - before);
      }
    }
    expect(await read(endlessLine(), { maxLineBytes: 2 ** 20 })).toMatchObject([
      { kind: 'problem', line: 1, reason: 'TOO_LONG' },
    ]);
    // Of the 100 MiB that went through; V8 frees the last 25 when it gets to it.
    expect(mostHeld).toBeLessThan(50 * 2 ** 20);
  });

  it('lets a schema check and change each value, and names the field that does not fit', async () => {
    const Task = z.strictObject({
      wave: z.int().default(1),
      input: z.object({ email: z.email() }),
    });
    const lines = await collect(
      readJsonLines(
        ['{"input":{"email":"ada@example.com"}}\n{"wave":"2","input":{"email":"ada"}}\n7\n'],
        { schema: Task, file: 'tasks.jsonl' },
      ),
    );
    expectTypeOf(lines).toEqualTypeOf<JsonLine<z.output<typeof Task>>[]>();
    expect(lines).toMatchObject([
      { kind: 'value', line: 1, value: { wave: 1, input: { email: 'ada@example.com' } } },
      { kind: 'problem', line: 2, reason: 'INVALID', path: 'wave', file: 'tasks.jsonl' },
      { kind: 'problem', line: 3, reason: 'INVALID' },
    ]);
    const [, second, third] = lines;
    expect(second).toMatchObject({ message: expect.stringContaining('input.email: ') });
    expect(third).not.toHaveProperty('path');
    expect(second?.kind === 'problem' && formatJsonLineProblem(second)).toMatch(
      /^tasks\.jsonl:2: wave: .*; input\.email: /,
    );
    expect(third?.kind === 'problem' && formatJsonLineProblem({ ...third, message: 'no' })).toBe(
      'tasks.jsonl:3: no',
    );
  });

  it('names the line alone when the file is not known', () => {
    expect(
      formatJsonLineProblem({ kind: 'problem', line: 3, reason: 'NOT_JSON', message: 'no' }),
    ).toBe('line 3: no');
  });

  it('rejects with the path when the file is missing or a folder', async () => {
    const missing = join(folder, 'missing.jsonl');
    await expect(read(missing)).rejects.toMatchObject({
      code: 'CORE_FILE_ACCESS',
      operation: 'read',
      path: missing,
      message: `Cannot read ${missing}: there is no such file`,
    });
    await expect(read(folder)).rejects.toThrow('it is a folder');
  });

  it('passes on the error of a stream it was given, and refuses a senseless limit', async () => {
    const broken = new Readable({ read: () => broken.destroy(new Error('cable cut')) });
    await expect(read(broken)).rejects.toThrow('cable cut');
    await expect(read([], { maxLineBytes: 0 })).rejects.toMatchObject({
      code: 'CORE_INVALID_INPUT',
    });
  });

  it('closes the source when the reader stops early', async () => {
    const stream = Readable.from([Buffer.from('1\n2\n'), Buffer.from('3\n')]);
    for await (const line of readJsonLines(stream)) {
      expect(line.line).toBe(1);
      break;
    }
    expect(stream.destroyed).toBe(true);
  });
});

describe('writing a record as a line', () => {
  it('refuses what JSON cannot hold', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const record of [1n, circular, undefined, () => 1]) {
      expect(() => stringifyJsonLine(record)).toThrow(
        expect.objectContaining({ code: 'CORE_NOT_SERIALIZABLE' }),
      );
    }
  });
});

describe('an appender of JSON Lines', () => {
  it('makes the file, appends in the order of the calls, and keeps what was there', async () => {
    const path = join(folder, 'outcomes.jsonl');
    for (const start of [1, 4]) {
      await using appender = await openJsonLinesAppender(path);
      void appender.append(start);
      await Promise.all([appender.append(start + 1), appender.append(start + 2)]);
    }
    expect(await readFile(path, 'utf8')).toBe('1\n2\n3\n4\n5\n6\n');
  });

  it('writes nothing for no records, and what is waiting when it is closed', async () => {
    const path = join(folder, 'outcomes.jsonl');
    const appender = await openJsonLinesAppender(path, { isDurable: false });
    await appender.append();
    const appended = appender.append({ a: 1 }, { b: 2 });
    const synced = appender.sync();
    await Promise.all([appender.close(), appender.close(), appended, synced]);
    expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"b":2}\n');
    await expect(appender.append(3)).rejects.toMatchObject({ code: 'CORE_FILE_ACCESS' });
  });

  it('resolves `append` only when the records, already written, are synced', async () => {
    const path = join(folder, 'outcomes.jsonl');
    await using appender = await openJsonLinesAppender(path);
    const { promise: reached, resolve: reach } = Promise.withResolvers<string>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await onSync('datasync', async () => {
      reach(await readFile(path, 'utf8'));
      await released;
    });
    const appended = vi.fn<() => void>();
    const append = appender.append(1, 2).then(appended);
    expect(await reached).toBe('1\n2\n');
    await new Promise(setImmediate);
    expect(appended).not.toHaveBeenCalled();
    release();
    await append;
  });

  it('rejects `append` when the records cannot be synced', async () => {
    await using appender = await openJsonLinesAppender(join(folder, 'outcomes.jsonl'));
    await onSync('datasync', () => Promise.reject(new Error('the disk is gone')));
    await expect(appender.append(1)).rejects.toThrow('the disk is gone');
  });

  it('syncs the folder of a new file before it is opened, and of no other', async () => {
    const path = join(folder, 'outcomes.jsonl');
    const folders: boolean[] = [];
    await onSync('sync', async (synced) => {
      folders.push((await synced.stat()).isDirectory());
    });
    await using appender = await openJsonLinesAppender(path);
    expect(folders).toEqual([true]);
    await appender.append(1);
    await using again = await openJsonLinesAppender(path);
    await again.append(2);
    expect(folders).toEqual([true]);
  });

  it('leaves syncing to `sync` when it need not be durable', async () => {
    const path = join(folder, 'outcomes.jsonl');
    const synced: string[] = [];
    const note = (what: string) => async () => {
      synced.push(`${what}: ${await readFile(path, 'utf8')}`);
    };
    await onSync('sync', note('folder'));
    await onSync('datasync', note('data'));
    await using appender = await openJsonLinesAppender(path, { isDurable: false });
    await appender.append(1);
    expect(synced).toEqual([]);
    await appender.sync();
    expect(synced).toEqual(['data: 1\n']);
  });

  it('ends a torn line first, so that no record is lost in it', async () => {
    const path = join(folder, 'outcomes.jsonl');
    await writeFile(path, '{"a":1}\n{"a":');
    await appendJsonLines(path, [{ a: 2 }]);
    await appendJsonLines(path, [{ a: 3 }]);
    expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a":\n{"a":2}\n{"a":3}\n');
    expect(await read(path)).toMatchObject([
      { kind: 'value', value: { a: 1 } },
      { kind: 'problem', line: 2, reason: 'NOT_JSON' },
      { kind: 'value', value: { a: 2 } },
      { kind: 'value', value: { a: 3 } },
    ]);
  });

  it('writes none of the records of a call when one of them has no form in JSON', async () => {
    const path = join(folder, 'outcomes.jsonl');
    await using appender = await openJsonLinesAppender(path);
    await expect(appender.append(1, 2n)).rejects.toMatchObject({ code: 'CORE_NOT_SERIALIZABLE' });
    await appender.append(3);
    expect(await readFile(path, 'utf8')).toBe('3\n');
    await expect(appendJsonLines(join(folder, 'new.jsonl'), [2n])).rejects.toThrow('JSON');
    await expect(stat(join(folder, 'new.jsonl'))).rejects.toThrow('ENOENT');
  });

  it('says which folder is missing', async () => {
    await expect(appendJsonLines(join(folder, 'no', 'x.jsonl'), [1])).rejects.toThrow(
      `Cannot append to ${join(folder, 'no', 'x.jsonl')}: its folder does not exist`,
    );
  });
});
