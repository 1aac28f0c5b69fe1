import { openGuardedSandbox } from '@buddy/guardian';
import { createSandbox } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';

const { signal } = new AbortController();

describe('a guarded sandbox', () => {
  it('looks after a sandbox of @buddy/sandbox: its canaries are denied, and it can be made anew', async () => {
    const guarded = await openGuardedSandbox(
      {
        canaries: [
          {
            name: 'reads a file',
            code: `(await import('node:fs')).readFileSync('/etc/passwd', 'utf8')`,
          },
          { name: 'sees the environment', code: 'process.env.PATH' },
          { name: 'opens a connection', code: `await fetch('http://127.0.0.1:9/')` },
        ],
        smoke: { code: '1 + 1', expects: 2 },
        lookTimeoutMs: 8_000,
      },
      { create: () => createSandbox() },
    );
    try {
      const { adapter } = guarded;
      expect(await adapter.probe(signal)).toEqual({ status: 'HEALTHY' });
      const job = guarded.run({
        id: 'slow',
        code: 'await new Promise((r) => setTimeout(r, 400)); 42',
      });
      await adapter.destroy(signal);
      expect(await adapter.probe(signal)).toMatchObject({ signal: 'sandbox.silent' });
      await adapter.rebuild(signal);
      await adapter.requeueOnce('slow', signal);
      expect(await job).toMatchObject({ status: 'ok', value: 42 });
    } finally {
      await guarded.close();
    }
  });
});
