import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GuardianOptions, SYMPTOM_OUTCOMES } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

describe('the README', () => {
  it('shows its example as it stands in examples/, and what it prints', async () => {
    const example = await read('../examples/readme.ts');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(await read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@buddy/source', 'examples/readme.ts'],
      { cwd: packageFolder },
    );
    const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(
      ([, said]) => said,
    );
    expect(stdout.trimEnd().split('\n')).toEqual(promised);
  });

  it('names every error code, event, outcome and option', async () => {
    const readme = await read('../README.md');
    const sources = await Promise.all(
      [
        '../src/errors.ts',
        '../src/adapters/guardrails/receipt-gate.ts',
        '../src/engine/events.ts',
      ].map((path) => read(path)),
    );
    const named = sources.flatMap((source) => [
      ...(source.match(/(?<=code = ')GUARDIAN_[A-Z_]+/g) ?? []),
      ...(source.match(/(?<=^ {2})[a-zA-Z]+(?=: \[\n? *event)/gm) ?? []),
    ]);
    const words = [...named, ...SYMPTOM_OUTCOMES, ...Object.keys(GuardianOptions.shape)];
    expect(words.length).toBeGreaterThan(50);
    expect(words.filter((word) => !readme.includes(`\`${word}\``))).toEqual([]);
  });
});
