import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

describe('the root README', () => {
  it('shows the quickstart as it stands, in at most 30 lines', async () => {
    const quickstart = await read('../quickstart.ts');
    expect(quickstart.trim().split('\n').length).toBeLessThanOrEqual(30);
    expect(await read('../../README.md')).toContain(`\`\`\`ts\n${quickstart}\`\`\``);
  });

  it('names only scripts that there are', async () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      await read('../../package.json'),
    );
    const commands = (await read('../../README.md')).matchAll(/pnpm@12 (?:run )?([a-z:]+)/g);
    const named = [...commands].map(([, script]) => script ?? '');
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'bench', 'check', 'example']));
    for (const script of named) expect(Object.keys(scripts)).toContain(script);
  });
});
