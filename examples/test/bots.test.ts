import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runExample } from './command.ts';

describe('bots.ts', () => {
  it('quarantines the worker that crashes, catches the one that leaks, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await runExample('bots.ts');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^works +running$/m);
    expect(stdout).toMatch(/^crashes +ended, crash: exit code 1$/m);
    expect(stdout).toMatch(/^crashes +quarantined: 3 restarts within 60 s/m);
    expect(stdout).toMatch(
      /^leaks +ended, limit_exceeded: \d+ bytes resident, 157286400 are allowed/m,
    );
    expect(stdout).toMatch(
      /^\d+ ends, \d+ restarts, \d+ over a limit, 1 quarantined; nothing is left running\.$/m,
    );
    const pids = [...stdout.matchAll(/^\w+ +running +(\d+) /gm)].map(([, pid]) => Number(pid));
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);

  it('is what `pnpm example:bots` runs', async () => {
    const { scripts } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(scripts['example:bots']).toBe('node --conditions=@buddy/source examples/bots.ts');
  });
});
