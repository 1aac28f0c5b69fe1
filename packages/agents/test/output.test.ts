import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MemoryOutput,
  nextRunFolder,
  openFolderOutput,
  type Output,
  prepareOutputFolder,
} from '@buddy/agents';
import { ManualClock } from '@buddy/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let root = '';
let folders = 0;
const newFolder = () => join(root, `folder-${folders++}`);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'buddy-output-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Opened {
  output: Output;
  /** What a file holds; undefined when there is none. */
  read: (path: string) => Promise<string | undefined>;
}

const adapters: [string, () => Promise<Opened>][] = [
  [
    'the memory output',
    async () => {
      const output = new MemoryOutput();
      return { output, read: async (path) => output.files.get(path) };
    },
  ],
  [
    'the folder output',
    async () => {
      const folder = newFolder();
      return {
        output: await openFolderOutput(folder),
        read: (path) => readFile(join(folder, path), 'utf8').catch(() => undefined),
      };
    },
  ],
];

describe.each(adapters)('%s', (_name, open) => {
  it('writes each record as one line of JSON, in the order of the calls', async () => {
    const { output, read } = await open();
    output.append('phase21/events.jsonl', { at: 1, text: 'two\nlines' });
    output.append('phase20/feedback.jsonl', { at: 2 });
    output.append('phase21/events.jsonl', { at: 3, text: 'ünï\u2028' });
    await output.flush();
    output.append('phase21/events.jsonl', { at: 4 });
    await output.close();
    expect(await read('phase21/events.jsonl')).toBe(
      '{"at":1,"text":"two\\nlines"}\n{"at":3,"text":"ünï\u2028"}\n{"at":4}\n',
    );
    expect(await read('phase20/feedback.jsonl')).toBe('{"at":2}\n');
  });

  it('takes a record as it is at the time of the call', async () => {
    const { output, read } = await open();
    const record = { status: 'pending' };
    output.append('a.jsonl', record);
    record.status = 'completed';
    await output.flush();
    expect(await read('a.jsonl')).toBe('{"status":"pending"}\n');
  });

  it('keeps the order of any number of records over any number of files and flushes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('flush'), fc.tuple(fc.nat(5), fc.string())), {
          maxLength: 60,
        }),
        async (steps) => {
          const { output, read } = await open();
          const expected = new Map<string, string>();
          for (const step of steps) {
            if (typeof step === 'string') {
              await output.flush();
              continue;
            }
            const [file, text] = step;
            const path = `wave_${file}/records.jsonl`;
            output.append(path, { text });
            expected.set(path, `${expected.get(path) ?? ''}${JSON.stringify({ text })}\n`);
          }
          await output.close();
          for (const [path, text] of expected) expect(await read(path)).toBe(text);
        },
      ),
      { numRuns: 25 },
    ));

  it('replaces a whole file with the text of the last write', async () => {
    const { output, read } = await open();
    await Promise.all(
      ['one', 'two', 'three'].map((text) => output.write('deep/er/run.json', text)),
    );
    expect(await read('deep/er/run.json')).toBe('three');
  });

  it.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['../secrets', '..'],
    ['phase21/../../secrets', '..'],
    ['./a', '. or ..'],
    ['phase21//a', 'a part of it is empty'],
    ['phase21/', 'a part of it is empty'],
    ['phase21\\a', 'backslash'],
    ['C:/a', 'colon'],
    ['a\u0000b', 'control character'],
  ])('refuses the path %j', async (path, reason) => {
    const { output } = await open();
    const refusal = { code: 'AGENTS_OUTPUT_MISUSE', message: expect.stringContaining(reason) };
    expect(() => output.append(path, {})).toThrow(expect.objectContaining(refusal));
    await expect(output.write(path, '')).rejects.toMatchObject(refusal);
  });

  it('refuses to write a file whole and append to it too', async () => {
    const { output } = await open();
    output.append('a.jsonl', {});
    await output.write('b.json', '');
    await expect(output.write('a.jsonl', '')).rejects.toThrow('a.jsonl was appended before');
    expect(() => output.append('b.json', {})).toThrow('b.json was written before');
  });

  it('refuses a record that has no form in JSON, at once', async () => {
    const { output, read } = await open();
    expect(() => output.append('a.jsonl', { n: 1n })).toThrow(
      expect.objectContaining({ code: 'CORE_NOT_SERIALIZABLE' }),
    );
    output.append('a.jsonl', { n: 1 });
    await output.flush();
    expect(await read('a.jsonl')).toBe('{"n":1}\n');
  });

  it('takes nothing more once it is closed, and can be closed twice', async () => {
    const { output } = await open();
    await output.close();
    await output.close();
    expect(() => output.append('a.jsonl', {})).toThrow('closed');
    await expect(output.write('b.json', '')).rejects.toMatchObject({
      code: 'AGENTS_OUTPUT_MISUSE',
    });
  });
});

describe('the folder output', () => {
  it('writes in the background, whole lines at a time, once a file has 256 KiB waiting', async () => {
    const folder = newFolder();
    const clock = new ManualClock();
    const output = await openFolderOutput(folder, { clock });
    const text = 'x'.repeat(1000);
    for (let n = 0; n < 300; n += 1) output.append('a.jsonl', { n, text });
    await clock.advance(0); // waits for what is in flight
    expect(await readFile(join(folder, 'a.jsonl'), 'utf8')).toBe(
      Array.from({ length: 300 }, (_, n) => `{"n":${n},"text":"${text}"}\n`).join(''),
    );
  });

  it('is congested at 4 MiB since the last flush, however much was written meanwhile', async () => {
    const clock = new ManualClock();
    const output = await openFolderOutput(newFolder(), { clock });
    const text = 'x'.repeat(1_048_576);
    for (let n = 0; n < 3; n += 1) output.append('a.jsonl', { text });
    await clock.advance(0);
    expect(output.isCongested).toBe(false);
    output.append('a.jsonl', { text });
    await clock.advance(0);
    expect(output.isCongested).toBe(true);
    await output.flush();
    expect(output.isCongested).toBe(false);
  });

  it('makes a manual clock wait for the disk', async () => {
    const folder = newFolder();
    const clock = new ManualClock();
    await clock.run(async () => {
      const output = await openFolderOutput(folder, { clock });
      output.append('a.jsonl', { at: clock.now() });
      const flushed = output.flush();
      await clock.sleep(1000);
      expect(await readFile(join(folder, 'a.jsonl'), 'utf8')).toBe('{"at":1767225600000}\n');
      await flushed;
      await output.write('b.json', '');
      await output.close();
    });
  });

  it('serves more files than a process may hold open', async () => {
    const folder = newFolder();
    const output = await openFolderOutput(folder);
    for (let n = 0; n < 1500; n += 1) output.append(`wave_${n}/outcomes.jsonl`, { n });
    await output.close();
    expect(await readdir(folder)).toHaveLength(1500);
    expect(await readFile(join(folder, 'wave_1499/outcomes.jsonl'), 'utf8')).toBe('{"n":1499}\n');
  });

  it('goes on with a file of an earlier run, and glues nothing to a torn last line', async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'whole.jsonl'), '{"n":1}\n');
    await writeFile(join(folder, 'torn.jsonl'), '{"n":1}\n{"n":');
    const output = await openFolderOutput(folder);
    output.append('whole.jsonl', { n: 2 });
    output.append('torn.jsonl', { n: 2 });
    await output.close();
    expect(await readFile(join(folder, 'whole.jsonl'), 'utf8')).toBe('{"n":1}\n{"n":2}\n');
    expect(await readFile(join(folder, 'torn.jsonl'), 'utf8')).toBe('{"n":1}\n{"n":\n{"n":2}\n');
  });

  it('tells every later caller when the folder was removed, and does not make it again', async () => {
    const folder = newFolder();
    const output = await openFolderOutput(folder);
    output.append('wave_1/a.jsonl', { n: 1 });
    await output.flush();
    await rm(folder, { recursive: true });
    output.append('wave_1/a.jsonl', { n: 2 });
    output.append('wave_2/a.jsonl', { n: 2 });
    const failure = {
      code: 'AGENTS_OUTPUT_FAILED',
      path: 'wave_1/a.jsonl',
      message: expect.stringContaining('Cannot write wave_1/a.jsonl: ENOENT'),
      cause: expect.objectContaining({ code: 'ENOENT' }),
    };
    await expect(output.flush()).rejects.toMatchObject(failure);
    expect(() => output.append('wave_1/a.jsonl', { n: 3 })).toThrow(
      expect.objectContaining(failure),
    );
    await expect(output.write('b.json', '')).rejects.toMatchObject({
      code: 'AGENTS_OUTPUT_FAILED',
      path: 'b.json',
      message: expect.stringMatching(/^Cannot write b\.json: ENOENT/u),
    });
    await expect(output.close()).rejects.toMatchObject(failure);
    expect(await readdir(root)).not.toContain(folder);
  });

  it('tells the next caller when writing in the background failed', async () => {
    const folder = newFolder();
    const clock = new ManualClock();
    const output = await openFolderOutput(folder, { clock });
    await mkdir(join(folder, 'a.jsonl')); // a folder where the file should be
    output.append('a.jsonl', { text: 'x'.repeat(300_000) });
    await clock.advance(0);
    expect(() => output.append('b.jsonl', {})).toThrow(
      expect.objectContaining({ code: 'AGENTS_OUTPUT_FAILED', path: 'a.jsonl' }),
    );
  });

  it('writes no record after a gap, even when the disk has recovered', async () => {
    const folder = newFolder();
    const clock = new ManualClock();
    const output = await openFolderOutput(folder, { clock });
    await mkdir(join(folder, 'a.jsonl'));
    output.append('a.jsonl', { n: 1, text: 'x'.repeat(300_000) });
    await Promise.resolve(); // writing begins
    output.append('a.jsonl', { n: 2 });
    await clock.advance(0); // writing has failed
    await rm(join(folder, 'a.jsonl'), { recursive: true });
    await expect(output.close()).rejects.toMatchObject({ code: 'AGENTS_OUTPUT_FAILED' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('still writes the other files when one fails', async () => {
    const folder = newFolder();
    const output = await openFolderOutput(folder);
    await mkdir(join(folder, 'a.jsonl'));
    output.append('a.jsonl', { n: 1 });
    output.append('b.jsonl', { n: 1 });
    await expect(output.close()).rejects.toMatchObject({ path: 'a.jsonl' });
    expect(await readFile(join(folder, 'b.jsonl'), 'utf8')).toBe('{"n":1}\n');
    await expect(output.close()).rejects.toMatchObject({ path: 'a.jsonl' }); // not less true the second time
  });

  it('notices that a file lost records since it last wrote to it', async () => {
    const folder = newFolder();
    const output = await openFolderOutput(folder);
    output.append('a.jsonl', { n: 1 });
    await output.flush();
    await truncate(join(folder, 'a.jsonl'), 0);
    output.append('a.jsonl', { n: 2 });
    await expect(output.flush()).rejects.toThrow('shrank from 8 to 0 bytes');
  });

  // Root may write anywhere, and /dev/full is a Linux thing.
  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'tells of a missing permission',
    async () => {
      const folder = newFolder();
      const output = await openFolderOutput(folder);
      await chmod(folder, 0o500);
      output.append('a.jsonl', {});
      await expect(output.flush()).rejects.toThrow('EACCES');
    },
  );

  it.skipIf(process.platform !== 'linux')('tells of a full disk', async () => {
    const folder = newFolder();
    const output = await openFolderOutput(folder);
    await symlink('/dev/full', join(folder, 'a.jsonl'));
    output.append('a.jsonl', {});
    await expect(output.flush()).rejects.toMatchObject({
      code: 'AGENTS_OUTPUT_FAILED',
      message: expect.stringContaining('ENOSPC'),
    });
  });

  it('rejects when its folder cannot be made', async () => {
    const file = newFolder();
    await writeFile(file, '');
    await expect(openFolderOutput(join(file, 'out'))).rejects.toMatchObject({
      code: 'AGENTS_OUTPUT_FAILED',
      path: join(file, 'out'),
    });
  });
});

describe('preparing the folder of a run', () => {
  it('makes a missing folder and takes an empty one', async () => {
    const folder = join(newFolder(), 'deep', 'er');
    await prepareOutputFolder(folder);
    await prepareOutputFolder(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a folder that is not empty, and leaves it as it is', async () => {
    const folder = await folderWithARun();
    await expect(prepareOutputFolder(folder)).rejects.toMatchObject({
      code: 'AGENTS_OUTPUT_FOLDER_TAKEN',
      message: expect.stringContaining(`${folder} is not empty`),
    });
    expect(await readdir(folder)).toEqual(['phase21']);
  });

  it('replaces a folder with force, and leaves nothing beside it', async () => {
    const folder = await folderWithARun();
    await prepareOutputFolder(folder, { force: true });
    expect(await readdir(folder)).toEqual([]);
    expect(await readdir(join(folder, '..'))).toEqual(['out']);
  });

  it('replaces what a link leads to, not the link', async () => {
    const folder = await folderWithARun();
    const link = newFolder();
    await symlink(folder, link);
    await prepareOutputFolder(link, { force: true });
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(link, 'a'), '');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('never replaces a folder that is to be kept, or one around it', async () => {
    const folder = await folderWithARun();
    for (const keep of [folder, join(folder, 'phase21')]) {
      await expect(
        prepareOutputFolder(folder, { force: true }, { keep: [keep] }),
      ).rejects.toMatchObject({ code: 'AGENTS_OUTPUT_FOLDER_TAKEN' });
    }
    await expect(prepareOutputFolder(process.cwd(), { force: true })).rejects.toThrow(
      'will not be replaced',
    );
    expect(await readdir(folder)).toEqual(['phase21']);
  });

  it('refuses a file', async () => {
    const file = newFolder();
    await writeFile(file, '');
    for (const path of [file, join(file, 'out')]) {
      await expect(prepareOutputFolder(path, { force: true })).rejects.toMatchObject({
        code: 'AGENTS_OUTPUT_FOLDER_TAKEN',
      });
    }
  });
});

describe('the next run folder', () => {
  it('is one above the highest there is', async () => {
    const parent = newFolder();
    expect(await nextRunFolder(parent)).toBe(join(parent, 'run-1'));
    await mkdir(join(parent, 'run-9'));
    await mkdir(join(parent, 'run-x'));
    expect(await nextRunFolder(parent)).toBe(join(parent, 'run-10'));
    expect(await readdir(join(parent, 'run-10'))).toEqual([]);
  });

  it('is never given to two', async () => {
    const parent = newFolder();
    const taken = await Promise.all(Array.from({ length: 20 }, () => nextRunFolder(parent)));
    expect(new Set(taken).size).toBe(20);
  });
});

async function folderWithARun(): Promise<string> {
  const folder = join(newFolder(), 'out');
  await mkdir(join(folder, 'phase21'), { recursive: true });
  await writeFile(join(folder, 'phase21', 'run.json'), '{}');
  return folder;
}
