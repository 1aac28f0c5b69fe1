import { createSandbox, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ALLOWED = 1_000;

describe('what a limit says was used', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await createSandbox({ limits: { maxResultBytes: ALLOWED, wallMs: 50 } });
  });
  afterAll(() => sandbox.close());

  it('is the size of a result that is one long text', async () => {
    const result = await sandbox.run('"x".repeat(5000)');
    expect(result).toMatchObject({
      status: 'limit',
      limit: { kind: 'result', allowed: ALLOWED, used: 5_008 }, // 8 for each value
    });
  });

  it('is what was counted, where a result goes past the limit by and by', async () => {
    const result = await sandbox.run('Array.from({ length: 900 }, (_, at) => at)');
    if (result.status !== 'limit') throw new Error(result.toModelText());
    expect(result.limit.kind).toBe('result');
    expect(result.limit.used).toBeGreaterThan(ALLOWED);
  });

  it('is never less than the time that was allowed', async () => {
    for (let time = 0; time < 5; time += 1) {
      const result = await sandbox.run('await new Promise((done) => setTimeout(done, 1000))');
      if (result.status !== 'limit') throw new Error(result.toModelText());
      expect(result.limit.kind).toBe('wall');
      expect(result.limit.used).toBeGreaterThanOrEqual(result.limit.allowed);
    }
  });

  it('is not asked for where a bigint is too long for any result', async () => {
    const result = await sandbox.run('2n ** 5000n');
    expect(result).toMatchObject({
      status: 'error',
      error: { kind: 'result', message: 'The value is a bigint of more than 4096 bits' },
    });
  });
});

describe('a value that stands in for what is not there', () => {
  it('may be awaited, for that asks nothing of it', async () => {
    await using sandbox = await createSandbox();
    const result = await sandbox.run('await WebAssembly; await fetch; "done"');
    expect(result).toMatchObject({ status: 'ok', value: 'done', violations: [] });
  });

  it('is no data as the value of a program, and no violation', async () => {
    await using sandbox = await createSandbox();
    const result = await sandbox.run('WebAssembly');
    expect(result).toMatchObject({
      status: 'error',
      error: { kind: 'result', message: 'The value is a function, which is not data' },
      violations: [],
    });
  });
});
