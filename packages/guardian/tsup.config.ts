import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'faults/index': 'src/faults/index.ts',
    'vitals/index': 'src/vitals/index.ts',
    'faults/watchdog-main': 'src/faults/watchdog-main.ts',
    'bin/buddy-guardian': 'src/bin/buddy-guardian.ts',
  },
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
  // One copy of each class, whichever entry it is reached by.
  splitting: true,
});
