import { defineConfig } from 'tsup';

const shared = { target: 'node24', clean: false } as const;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      'testing/index': 'src/testing/index.ts',
      'bin/buddy-sandbox': 'src/bin/buddy-sandbox.ts',
    },
    format: ['esm'],
    sourcemap: true,
    splitting: true,
    external: ['esbuild'], // from the sources only
  },
  {
    ...shared,
    // One file without imports, SES in it: the only file that a child may read.
    entry: { child: 'src/child/main.ts' },
    format: ['cjs'],
    minify: true,
    footer: { js: '//# sourceURL=sandbox' }, // see child-program.ts
    noExternal: [/.*/],
  },
]);
