import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

describe('the README', () => {
  it('shows its example as it stands in examples/, and what it prints', async () => {
    const readme = await read('../README.md');
    const example = await read('../examples/readme.ts');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@buddy/source', 'examples/readme.ts'],
      { cwd: packageFolder },
    );
    expect(readme).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });

  it('shows the predictions of its example', async () => {
    const predictions = await read('../examples/predictions/predicted_tasks.jsonl');
    expect(await read('../README.md')).toContain(`\`\`\`json\n${predictions}\`\`\``);
  });

  it('names every error code', async () => {
    const readme = await read('../README.md');
    const folders = ['', 'feedback/', 'monitor/', 'output/'];
    const sources = await Promise.all(folders.map((folder) => read(`../src/${folder}errors.ts`)));
    const codes = sources.flatMap((source) => source.match(/(?<=code = ')AGENTS_[A-Z_]+/g) ?? []);
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(readme).toContain(`\`${code}\``);
  });
});
