import { readFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';

it('the example of the README is the one that runs, and prints what it says', async () => {
  const folder = new URL('..', import.meta.url);
  const example = await readFile(new URL('examples/readme.ts', folder), 'utf8');
  expect(await readFile(new URL('README.md', folder), 'utf8')).toContain(
    `\`\`\`ts\n${example}\`\`\`\n`,
  );
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await import('../examples/readme.ts');
  expect(log.mock.calls).toEqual([['Result: 12']]);
  log.mockRestore();
});
