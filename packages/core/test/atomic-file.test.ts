import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countingId, FileAccessError, followLink, writeFileAtomic } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onSync } from './on-sync.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'buddy-atomic-'));
  path = join(folder, 'run.json');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

describe('an atomic write', () => {
  it('makes a file, replaces it, and leaves nothing else in the folder', async () => {
    await writeFileAtomic(path, 'old');
    await writeFileAtomic(path, new TextEncoder().encode('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['run.json']);
  });

  it('gives the file the mode asked for, else keeps the one it had', async () => {
    await writeFileAtomic(path, 'secret', { mode: 0o600 });
    expect(await modeOf(path)).toBe(0o600);
    await chmod(path, 0o640);
    await writeFileAtomic(path, 'new');
    expect(await modeOf(path)).toBe(0o640);
  });

  it('syncs the data before the new name is seen, and the folder after', async () => {
    await writeFile(path, 'old');
    const seen: string[] = [];
    await onSync('sync', async (synced) => {
      const kind = (await synced.stat()).isDirectory() ? 'folder' : 'data';
      seen.push(`${kind}, while the path holds ${await readFile(path, 'utf8')}`);
    });
    await writeFileAtomic(path, 'new');
    expect(seen).toEqual(['data, while the path holds old', 'folder, while the path holds new']);
  });

  it('syncs the data only when all of it is written', async () => {
    const sizes: number[] = [];
    await onSync('sync', async (synced) => {
      const status = await synced.stat();
      if (status.isFile()) sizes.push(status.size);
    });
    await writeFileAtomic(path, 'x'.repeat(1_000_000));
    expect(sizes).toEqual([1_000_000]);
  });

  it('keeps the old content when the data cannot be synced', async () => {
    await writeFile(path, 'old');
    await onSync('sync', () => Promise.reject(new Error('the disk is gone')));
    await expect(writeFileAtomic(path, 'new')).rejects.toThrow('the disk is gone');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['run.json']);
  });

  it('makes the file that a symbolic link names, when there is none yet', async () => {
    const [link, next] = [join(folder, 'link.json'), join(folder, 'next.json')];
    await symlink('next.json', link);
    await symlink('run.json', next);
    await writeFileAtomic(link, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await lstat(next)).isSymbolicLink()).toBe(true);
  });

  it('refuses links that name each other', async () => {
    await symlink(path, `${path}-2`);
    await symlink(`${path}-2`, path);
    await expect(writeFileAtomic(path, 'new')).rejects.toThrow(FileAccessError);
    expect((await readdir(folder)).toSorted()).toEqual(['run.json', 'run.json-2']);
  });

  it('writes a file whose name is as long as names may be', async () => {
    const long = join(folder, 'ä'.repeat(127));
    await writeFileAtomic(long, 'new');
    expect(await readFile(long, 'utf8')).toBe('new');
  });

  it('writes through a symbolic link', async () => {
    const link = join(folder, 'link.json');
    await writeFile(path, 'old');
    await symlink(path, link);
    await writeFileAtomic(link, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readFile(link, 'utf8')).toBe('new');
    expect((await readdir(folder)).toSorted()).toEqual(['link.json', 'run.json']);
  });

  it('leaves one whole content when many write at once', async () => {
    const contents = Array.from({ length: 8 }, (_, n) => String(n).repeat(10_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['run.json']);
  });

  it('keeps the old content and removes its temporary file when it fails', async () => {
    await mkdir(path); // a folder cannot be replaced by a file
    await writeFile(join(path, 'inside'), 'kept');
    await expect(writeFileAtomic(path, 'new')).rejects.toMatchObject({
      code: 'CORE_FILE_ACCESS',
      operation: 'write',
      path,
    });
    expect(await readdir(folder)).toEqual(['run.json']);
    expect(await readFile(join(path, 'inside'), 'utf8')).toBe('kept');
  });

  it('never writes into a file that somebody else has under its temporary name', async () => {
    const taken = join(folder, '.run.json.tmp-1');
    await writeFile(taken, 'precious');
    await expect(
      writeFileAtomic(path, 'new', {}, { newId: countingId('tmp') }),
    ).rejects.toMatchObject({ code: 'CORE_FILE_ACCESS' });
    expect(await readFile(taken, 'utf8')).toBe('precious');
  });

  it('says which folder is missing', async () => {
    const lost = join(folder, 'no', 'run.json');
    await expect(writeFileAtomic(lost, 'x')).rejects.toThrow(
      `Cannot write ${lost}: its folder does not exist`,
    );
  });
});

describe('a link', () => {
  it('is followed to where the file will be, and what is no link is left as it is', async () => {
    await symlink('run.json', join(folder, 'link.json'));
    expect(await followLink(join(folder, 'link.json'))).toBe(path);
    expect(await followLink(path)).toBe(path);
    await writeFile(path, '');
    expect(await followLink(join(folder, 'link.json'))).toBe(path);
  });
});
