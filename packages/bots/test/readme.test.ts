import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LEGAL_MOVES } from '@buddy/bots';
import { expect, it } from 'vitest';
import { newFolder, newWorld } from './registry/world.ts';

const folder = new URL('..', import.meta.url);
const readme = await readFile(new URL('README.md', folder), 'utf8');

it('the example of the README is the one that runs, and prints what it says', async () => {
  const example = await readFile(new URL('examples/readme.ts', folder), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@buddy/source', fileURLToPath(new URL('examples/readme.ts', folder))],
    { cwd: newFolder() },
  );
  expect(stdout).toBe('running\ncrawler requested\nstopped\n');
});

it('the document of the README is one that is imported', async () => {
  const [, text = ''] = /```json\n(.*?)```/s.exec(readme) ?? [];
  const report = await newWorld().registry.import(text);
  expect(report.problems).toEqual([]);
  expect(report.added).toHaveLength(2);
});

it('the README has every legal move, and no other', () => {
  const moves: [string, string][] = [];
  for (const [, from = '', to = ''] of readme.matchAll(/^\| ((?:`\w+`[^|`]*)+)\| (.*)\|$/gm)) {
    const froms = namesIn(from);
    if (!froms.every((name) => name in LEGAL_MOVES) || !/`|each other/.test(to)) continue;
    for (const one of froms) {
      const others = to.includes('each other') ? froms.filter((other) => other !== one) : [];
      moves.push(...[...others, ...namesIn(to)].map((name): [string, string] => [one, name]));
    }
  }
  const legal = Object.entries(LEGAL_MOVES).flatMap(([from, tos]) =>
    tos.map((to): [string, string] => [from, to]),
  );
  expect(moves.map(String).toSorted()).toEqual(legal.map(String).toSorted());
});

it('names every error code of the package', async () => {
  const files = await readdir(new URL('src/', folder), { recursive: true });
  const sources = await Promise.all(
    files
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFile(new URL(`src/${name}`, folder), 'utf8')),
  );
  const codes = sources.flatMap((text) => text.match(/(?<=readonly code = ')BOTS_\w+/g) ?? []);
  expect(codes.length).toBeGreaterThan(25);
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});

it('names every event of the package', async () => {
  for (const file of ['src/registry/events.ts', 'src/supervisor/events.ts']) {
    const source = await readFile(new URL(file, folder), 'utf8');
    const names = [...source.matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  }
});

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].flatMap(([, name]) => name ?? []);
}
