import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
const EXAMPLES = readdirSync(new URL('../examples', import.meta.url));

vi.setConfig({ testTimeout: 30_000 }); // the SDKs are large

describe('the README', () => {
  it.each(EXAMPLES)('shows %s as it stands in examples/, and it runs', async (name) => {
    const readme = await read('../README.md');
    const example = await read(`../examples/${name}`);
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
    const print = vi.spyOn(console, 'log').mockReturnValue(undefined);
    await import(`../examples/${basename(name, '.ts')}.ts`);
    const printed = print.mock.calls.map((words) => words.join(' ')).join('\n');
    print.mockRestore();
    expect(printed).toBe(PRINTED[name]);
  });

  it.each(['readme.ts', 'lost-answer.ts'])('shows what %s prints', async (name) => {
    expect(await read('../README.md')).toContain(`\`\`\`text\n${PRINTED[name]}\n\`\`\``);
  });

  it('begins with an example of at most 15 lines', async () => {
    const example = await read('../examples/readme.ts');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  });

  it('names every error code', async () => {
    const readme = await read('../README.md');
    const files = ['errors.ts', 'faults/errors.ts', 'journal/errors.ts', 'server/errors.ts'];
    const sources = await Promise.all(files.map((path) => read(`../src/${path}`)));
    const codes = sources.flatMap((source) => source.match(/MOCKS_[A-Z_]+(?=')/g) ?? []);
    expect(codes).toHaveLength(15);
    for (const code of codes) expect(readme).toContain(`\`${code}\``);
  });
});

const PRINTED: Readonly<Record<string, string>> = {
  'gohighlevel-sdk.ts': 'ada@example.com 1',
  'lost-answer.ts': 'MOCKS_NETWORK_FAILED unknown\n1 contact',
  'microsoft-graph-client.ts': '3 unread messages',
  'msgraph-sdk.ts': '5 messages',
  'msw.ts': '200',
  'readme.ts': '6 created, 2 failed, 19 calls',
};
