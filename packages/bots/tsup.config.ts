import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    reaper: 'src/process/reaper-main.ts',
    'bin/buddy-bots': 'src/bin/buddy-bots.ts',
  },
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  splitting: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
});
