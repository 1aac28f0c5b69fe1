import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'msw/index': 'src/msw/index.ts',
    'bin/buddy-mocks': 'src/bin/buddy-mocks.ts',
  },
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  // One copy of each class, whichever entry it is reached by.
  splitting: true,
});
