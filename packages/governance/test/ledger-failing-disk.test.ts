import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openAuditLog, verifyLog } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newFolder } from './audit/entries.ts';

const CHILD = fileURLToPath(new URL('./ledger/failing-disk-child.ts', import.meta.url));
const SHIM = fileURLToPath(new URL('./ledger/failing-fsync.c', import.meta.url));
const Told = z.object({
  before: z.array(z.string()),
  during: z.array(z.string()),
  runsBlocked: z.int(),
  after: z.array(z.string()),
  runs: z.int(),
  verifierKey: z.string(),
});

describe('a disk on which fsync fails', () => {
  it('blocks calls of tier 2, loses nothing, and is gone on with when it works again', async (context) => {
    const folder = newFolder();
    const shim = builtShim(folder);
    if (shim === undefined) {
      process.stderr.write(
        '\nNOT CHECKED: a failing fsync, for there is no gcc that builds one here.\n\n',
      );
      return context.skip();
    }
    const policy = join(folder, 'policy.yaml');
    const database = join(folder, 'governance.db');
    const failing = join(folder, 'failing');
    writeFileSync(
      policy,
      'version: 1\nrules:\n  - { id: crm, when: { action: crm.** }, allow: true }\n',
    );
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@buddy/source', CHILD, policy, database, failing],
      { env: { ...process.env, LD_PRELOAD: shim, FSYNC_FAILS_WHILE: failing } },
    );
    const told = Told.parse(JSON.parse(stdout));
    const [done, blocked] = ['done', 'GOVERNANCE_UNAVAILABLE'];
    expect(told.before).toEqual([done, done, done]);
    expect(told.during).toEqual([blocked, blocked, blocked]);
    expect(told.runsBlocked).toBe(0);
    expect(told.after).toEqual([done, done, done]);
    const { problems } = await verifyLog({ file: database, verifierKey: told.verifierKey });
    expect(problems).toEqual([]);
    using log = openAuditLog(database);
    expect(log.query({ kind: 'intent' }).entries).toHaveLength(told.runs);
    expect(log.query({ kind: 'outcome' }).entries).toHaveLength(told.runs);
  });
});

/** Undefined where it cannot be built, or this system knows no LD_PRELOAD. */
function builtShim(folder: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const shim = join(folder, 'failing-fsync.so');
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-o', shim, SHIM, '-ldl'], {
      stdio: 'ignore',
    });
    return shim;
  } catch {
    return undefined;
  }
}
