import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node24',
  sourcemap: true,
  // `node:sqlite` has no other name.
  removeNodeProtocol: false,
});
