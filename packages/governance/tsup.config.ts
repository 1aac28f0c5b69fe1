import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'bin/buddy-governance': 'src/bin/buddy-governance.ts',
  },
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
  // What both have is in files beside them, so that `../config` is found from either.
  splitting: true,
});
