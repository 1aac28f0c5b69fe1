import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../../examples/faults.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guardian-example-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, maxRetries: 5 });
});

const run = (environment: NodeJS.ProcessEnv) =>
  promisify(execFile)(process.execPath, ['--conditions=@buddy/source', EXAMPLE], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
  });

describe('the example of the fault kit', () => {
  it('prints what it says, and only where faults are asked for', async () => {
    const example = await readFile(EXAMPLE, 'utf8');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
    const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(
      ([, said]) => said,
    );
    const { stdout } = await run({ BUDDY_FAULTS: '1' });
    expect(stdout.trimEnd().split('\n')).toEqual(promised);
    await expect(run({})).rejects.toThrow('set BUDDY_FAULTS=1');
  });
});
