import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { prepareModuleSource } from '../src/guest-source/prepare-module-source.ts';

const names =
  'math random string collections re itertools functools operator datetime time json decimal'.split(
    ' ',
  );
const standardGlobals = new Set(
  (
    'Array BigInt Date Infinity JSON Map Math NaN Number Object RangeError ReferenceError RegExp Set String Symbol ' +
    'TypeError undefined Boolean globalThis'
  ).split(' '),
);
const directory = new URL('../src/modules/', import.meta.url);

describe('the text of the modules', () => {
  // A module is a file of plain JavaScript with its declaration beside it. Their text is generated into TypeScript, so that
  // it is the same from source and from the built package, whatever a bundler does. To renew it: vitest run -u.
  it('is generated from the files in src/modules/library', async () => {
    const modules = await Promise.all(names.map(renderModule));
    const text = `// Generated from library/ by test/modules-generated.test.ts: change the files there, then run it with -u.
export interface LibraryModule {
  readonly name: string;
  readonly exports: string;
  readonly declaration: string;
  readonly source: string;
}

export const library: readonly LibraryModule[] = [
${modules.join('\n')}
];
`;
    await expect(text).toMatchFileSnapshot(new URL('library.generated.ts', directory).pathname);
  });

  // Each is read by whoever wonders what a program can do: about a hundred lines, comments and all.
  it.each(readdirSync(new URL('library/', directory)).filter((file) => file.endsWith('.js')))(
    'is short: %s',
    async (file) => {
      const text = await readFile(new URL(`library/${file}`, directory), 'utf8');
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(135);
    },
  );
});

async function renderModule(name: string): Promise<string> {
  const code = inlined(await readFile(new URL(`library/${name}.js`, directory), 'utf8'));
  const declaration = await readFile(new URL(`library/${name}.d.ts`, directory), 'utf8');
  const prepared = prepareModuleSource(code, { globals: standardGlobals, modules: new Map() });
  if (prepared.kind !== 'ready') throw new Error(`${name}: ${JSON.stringify(prepared)}`);
  const ambient = `declare module '${name}' {\n${declaration
    .replace(/^\/\* oxlint.*\n/, '')
    .trimEnd()
    .replaceAll(/^(?=.)/gm, '  ')}\n}`;
  return `  {
    name: '${name}',
    exports: ${literal(prepared.exports.join(' '))},
    declaration: ${literal(ambient)},
    source: ${literal(`(${prepared.source})(globalThis)`)},
  },`;
}

/** Modules do not import each other: what two of them share stands in both. */
function inlined(code: string): string {
  return code.replace(/^import \{[^}]*\} from '\.\/([\w-]+)\.js';\n/m, (_, name: string) =>
    readFileSync(new URL(`library/${name}.js`, directory), 'utf8').replaceAll(/^export /gm, ''),
  );
}

function literal(text: string): string {
  return `\`${text.replaceAll(/[\\`]|\$(?=\{)/g, '\\$&')}\``;
}
