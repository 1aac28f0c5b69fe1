import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, so that nothing need be built first.
const conditions = ['@buddy/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [...readdirSync(new URL('packages', import.meta.url)).map((name) => `packages/${name}`), 'examples'].map((root) => ({
      extends: true as const,
      root: `./${root}`,
      test: { name: root.replace('packages/', '') },
    })),
    coverage: { provider: 'v8', include: ['packages/*/src/**'] },
  },
});
