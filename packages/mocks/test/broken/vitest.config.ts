import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@buddy/source', 'node'];
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// As of all the package's tests, but for two of which one has to fail; run by ../contracts.test.ts.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    root: here('../..'),
    include: ['test/broken/broken-provider.ts'],
    setupFiles: [here('../setup.ts')],
  },
});
