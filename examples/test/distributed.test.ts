import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { runExample } from './command.ts';

it('many workers over one database: one is killed in the middle, and every task is done all the same', async () => {
  const { DATABASE_URL: _other, ...environment } = process.env;
  const { code, stdout, stderr } = await runExample(
    'distributed.ts',
    ['--workers', '2', '--tasks', '24'],
    {
      environment: Object.fromEntries(
        Object.entries(environment).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value]],
        ),
      ),
    },
  );
  expect(stderr.replaceAll(/^\(.*\n/gm, '')).toBe('');
  expect(stdout).toContain('8 letters are written; worker-1 is killed\n');
  expect(stdout).toMatch(/^completed: 24 of 24 in \d+\.\d s$/m);
  const written = [...stdout.matchAll(/^worker-\d wrote (\d+) letters$/gm)].map(([, n]) =>
    Number(n),
  );
  expect(written).toHaveLength(2);
  expect(written.reduce((sum, n) => sum + n, 0)).toBe(24);
  expect(written[1]).toBeGreaterThan(0);
  expect(code).toBe(0);
});

it('is what `pnpm example:distributed` runs', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(manifest).scripts).toMatchObject({
    'example:distributed': 'node --conditions=@buddy/source examples/distributed.ts',
  });
});
