import { readFile } from 'node:fs/promises';
import { VIOLATION_TYPES } from '@buddy/sandbox';
import { describe, expect, it, vi } from 'vitest';

const folder = new URL('..', import.meta.url);
const readme = await readFile(new URL('README.md', folder), 'utf8');

describe('the README', () => {
  it.each([
    ['readme', [['Result: 12']]],
    ['pause', [[[{ tool: 'pay', input: 12, approvalId: 'approval-1' }]], ['Result: "paid 12"']]],
  ])('shows the example %s as it runs, and it prints what it says', async (name, printed) => {
    const example = await readFile(new URL(`examples/${name}.ts`, folder), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await import(`../examples/${name}.ts`);
    expect(log.mock.calls).toEqual(printed);
    log.mockRestore();
  });
  it('names every type of violation', () => {
    expect(VIOLATION_TYPES.filter((type) => !readme.includes(`\`${type}\``))).toEqual([]);
  });
});
