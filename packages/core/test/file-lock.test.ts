import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { tryLockFile } from '@buddy/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddy-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a lock on a file', () => {
  it('is held by one at a time, in one process too, and leaves nothing beside the file', () => {
    const lock = tryLockFile(path);
    expect(lock).toBeDefined();
    expect(tryLockFile(path)).toBeUndefined();
    lock?.release();
    const next = tryLockFile(path);
    expect(next).toBeDefined();
    expect(readdirSync(folder)).toEqual(['lock']);
    next?.release();
  });

  it('goes to one of many processes that come for it at the same moment', async () => {
    const at = Date.now() + 1_500;
    const program = `
      import { tryLockFile } from '@buddy/core';
      while (Date.now() < ${at}) ;
      const lock = tryLockFile(${JSON.stringify(path)});
      console.log(lock ? 'held' : 'not held');
      setInterval(() => lock, 1000);`;
    const said = Array.from({ length: 4 }, () => {
      const contender = spawn(
        process.execPath,
        ['--conditions=@buddy/source', '--input-type=module', '--eval', program],
        { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      onTestFinished(() => void contender.kill('SIGKILL'));
      return new Promise((resolve) => contender.stdout.once('data', resolve));
    });
    const outcomes = (await Promise.all(said)).map((text) => String(text).trim());
    expect(outcomes.toSorted()).toEqual(['held', 'not held', 'not held', 'not held']);
  });

  it('vanishes with its holder, whatever ends it', async () => {
    const program = `
      import { tryLockFile } from '@buddy/core';
      const lock = tryLockFile(${JSON.stringify(path)});
      console.log(lock ? 'held' : 'not held');
      setInterval(() => lock, 1000);`;
    const holder = spawn(
      process.execPath,
      ['--conditions=@buddy/source', '--input-type=module', '--eval', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const said = await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(String(said)).toBe('held\n');
    expect(tryLockFile(path)).toBeUndefined();
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await gone;
    const lock = tryLockFile(path);
    expect(lock).toBeDefined();
    lock?.release();
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('is held by a process that dropped the handle, and collected its garbage since', async () => {
    const program = `
      import { tryLockFile } from '@buddy/core';
      tryLockFile(${JSON.stringify(path)});
      setTimeout(() => {
        globalThis.gc();
        setTimeout(() => console.log(tryLockFile(${JSON.stringify(path)}) ? 'free' : 'held'), 20);
      }, 20);`;
    const holder = spawn(
      process.execPath,
      ['--expose-gc', '--conditions=@buddy/source', '--input-type=module', '--eval', program],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    expect(String(await new Promise((resolve) => holder.stdout.once('data', resolve)))).toBe(
      'held\n',
    );
  });

  it('is not taken on a file that is something else, nor where there is no folder', () => {
    writeFileSync(
      path,
      'This is no lock, and stays what it is, however long the text has to be for that.',
    );
    expect(() => tryLockFile(path)).toThrow('file is not a database');
    expect(() => tryLockFile(join(folder, 'no', 'lock'))).toThrow('unable to open database file');
  });
});
