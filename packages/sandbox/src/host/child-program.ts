import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandboxStartError } from '../errors.ts';
import { cacheFolder } from './cache-folder.ts';

let found: Promise<string> | undefined;

/**
 * What the program is called in stack traces, in place of its path: where the stack overflows while SES is at work, the
 * engine shows a guest the trace that SES would have hidden. tsup.config.ts ends the built program with the same line.
 */
const NAMED = '//# sourceURL=sandbox';

/**
 * The child's program: one file without imports, so that a child may read that file and no other.
 *
 * A built package brings it. From its sources, as in development, it is bundled at first use by esbuild, a development
 * dependency, and kept in node_modules/.cache under a name that is the digest of what is in it.
 */
export function findChildProgram(): Promise<string> {
  found ??= import.meta.url.endsWith('.ts') ? bundle() : findBuilt();
  return found;
}

/** Beside the entry, or above the chunk or binary that this code was bundled into. */
async function findBuilt(): Promise<string> {
  const places = ['./child.cjs', '../child.cjs'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  const program = places.find((place) => existsSync(place));
  if (program !== undefined) return realpathSync(program);
  throw new SandboxStartError(
    `The child's program is missing; it should be ${places.join(' or ')}.`,
  );
}

async function bundle(): Promise<string> {
  const { build } = await import('esbuild');
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/child/main.ts')],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'silent',
    footer: { js: NAMED },
  });
  const [program] = outputFiles;
  if (!program) throw new SandboxStartError('esbuild made no child program of src/child/main.ts');
  const folder = cacheFolder();
  const digest = createHash('sha256').update(program.contents).digest('hex').slice(0, 16);
  const path = join(folder, `child-${digest}.cjs`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, program.contents);
    renameSync(part, path); // whole or not at all: other processes may be looking
  }
  return realpathSync(path);
}
