import { readdir, readFile } from 'node:fs/promises';
import { loadPolicy } from '@buddy/governance';
import { expect, it, vi } from 'vitest';

const folder = new URL('..', import.meta.url);
const readme = await readFile(new URL('README.md', folder), 'utf8');

it('the example of the README is the one that runs, and prints what it says', async () => {
  const example = await readFile(new URL('examples/readme.ts', folder), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await import('../examples/readme.ts');
  expect(log.mock.calls).toEqual([
    ['CORE_APPROVAL_REQUIRED', true],
    ['sent to ada@example.com'],
    [0],
  ]);
  log.mockRestore();
});

it('the policy of the README loads, and its examples come out as written', () => {
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
  const result = loadPolicy(text, { source: 'README.md' });
  expect(result).toMatchObject({ ok: true });
  expect(result.ok && result.policy.document.tests).toHaveLength(3);
});

it('the example of a policy tells the refunds apart', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await import('../examples/policy.ts');
  expect(log.mock.calls.flat()).toEqual([
    expect.stringContaining('small'),
    expect.stringContaining('large'),
  ]);
  log.mockRestore();
});

it('names every error code of the package', async () => {
  const files = await readdir(new URL('src/', folder), { recursive: true });
  const sources = await Promise.all(
    files
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFile(new URL(`src/${name}`, folder), 'utf8')),
  );
  const codes = sources.flatMap(
    (text) => text.match(/(?<=readonly code = ')GOVERNANCE_\w+/g) ?? [],
  );
  expect(codes.length).toBeGreaterThan(25);
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
