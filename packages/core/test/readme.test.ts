import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

describe('the README', () => {
  it('shows the example as it is, in 15 lines', async () => {
    const example = (
      await readFile(new URL('../examples/readme.ts', import.meta.url), 'utf8')
    ).trim();
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${example}\n\`\`\``);
    expect(example.split('\n').length).toBeLessThanOrEqual(15);
  });

  it('has an example that runs, and prints what it says', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await import('../examples/readme.ts');
    const lines = write.mock.calls.map(([line]) => String(line));
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    expect(lines).toHaveLength(1);
    expect(readme).toContain(`\`\`\`text\n${lines[0]}\`\`\``);
  });
});
