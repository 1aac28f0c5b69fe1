import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('three workers: one works on, one crashes until it is quarantined, one leaks until it is', async () => {
  const example = fileURLToPath(new URL('../bots.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@buddy/source',
    example,
  ]);
  expect(stdout).toMatch(/^fragile +ended: crash/m);
  expect(stdout).toMatch(/^leaky +uses \d{3} MB, too much/m);
  expect(stdout).toMatch(/^leaky +ended: limit_exceeded/m);
  expect(stdout.match(/^steady +ended/gm)).toEqual(['steady   ended']);
  expect(stdout.trim().split('\n').at(-1)).toBe(
    '7 processes started and ended. Now steady is stopped, fragile is quarantined, leaky is quarantined.',
  );
});

it('is what `pnpm example:bots` runs', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(manifest).scripts).toMatchObject({
    'example:bots': 'node --conditions=@buddy/source examples/bots.ts',
  });
});
