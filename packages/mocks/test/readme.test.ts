import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

describe('the README', () => {
  it('shows its example as it stands in examples/, and what it prints', async () => {
    const readme = await read('../README.md');
    const example = await read('../examples/readme.ts');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
    const print = vi.spyOn(console, 'log').mockReturnValue(undefined);
    await import('../examples/readme.ts');
    const printed = print.mock.calls.join('\n');
    print.mockRestore();
    expect(readme).toContain(`\`\`\`text\n${printed}\n\`\`\``);
  });

  it('names every error code', async () => {
    const readme = await read('../README.md');
    const sources = await Promise.all(
      ['../src/errors.ts', '../src/faults/errors.ts'].map((path) => read(path)),
    );
    const codes = sources.flatMap((source) => source.match(/MOCKS_[A-Z_]+(?=')/g) ?? []);
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) expect(readme).toContain(`\`${code}\``);
  });
});
