import { defineConfig } from 'tsup';

// Shared by every package: `tsup --config ../../tsup.config.ts`. The types come from tsc.
export default defineConfig({
  entry: ['src/index.ts'], // plus each further export, bin, worker and child script of the package
  format: ['esm'],
  target: 'node24',
  clean: true,
  sourcemap: true,
});
