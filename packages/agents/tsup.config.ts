import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    dbos: 'src/dbos/index.ts',
    testing: 'src/testing/index.ts',
    'journal-writer': 'src/journal/writer-worker.ts', // see writer-thread.ts
  },
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
  splitting: true,
});
