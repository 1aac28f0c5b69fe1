import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, so that nothing need be built first.
const conditions = ['@buddy/source', 'node'];
const roots = readdirSync(new URL('packages', import.meta.url)).map((name) => `packages/${name}`);
// CI counts the tests from vitest's own report, which it asks for here.
const jsonReport = process.env['BUDDY_VITEST_JSON'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [...roots, 'examples'].map((root) => ({
      extends: true as const,
      root: `./${root}`,
      test: {
        name: root.replace('packages/', ''),
        setupFiles: setupFilesOf(root),
        // These run whole programs over thousands of tasks, several at once.
        ...(root === 'examples' && { testTimeout: 300_000, hookTimeout: 300_000 }),
      },
    })),
    // Most of a test's time is waiting for processes and sockets: on two cores, one file at a time takes twice as long.
    maxWorkers: 2,
    // A process that a test starts may wait for its turn; what hangs is seen all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 20 } },
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
    ...(jsonReport !== undefined && {
      reporters: ['default', 'json'],
      outputFile: { json: jsonReport },
    }),
  },
});

/** What a project wants done before its tests: its `test/setup.ts`, if it has one. */
function setupFilesOf(root: string): string[] {
  const setup = new URL(`${root}/test/setup.ts`, import.meta.url);
  return existsSync(setup) ? [fileURLToPath(setup)] : [];
}
