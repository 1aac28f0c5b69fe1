import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSandbox, type Sandbox, type SandboxPorts } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';

type Spawn = NonNullable<SandboxPorts['spawn']>;

/** Starts what never says that it is ready, for as long as anybody would wait. */
const stuck: Spawn = (_command, _args, options) => spawnProcess('sleep', ['1000'], options);

function stuckSandbox(): Promise<Sandbox> {
  return createSandbox({ osIsolation: 'off', startupSnapshot: 'off' }, { spawn: stuck });
}

// Far below the 30 s that a child may take to start.
describe('a sandbox whose processes do not start', () => {
  it('ends a run at once when its signal aborts', async () => {
    await using sandbox = await stuckSandbox();
    const caller = new AbortController();
    const run = sandbox.run('1', { signal: caller.signal });
    await nextTurn();
    const reason = new Error('Nobody waits any more');
    caller.abort(reason);
    await expect(run).rejects.toBe(reason);
  });

  it('closes at once, and its runs end with that', async () => {
    const sandbox = await stuckSandbox();
    const runs = [sandbox.run('1'), sandbox.run('2')];
    const ends = Promise.allSettled(runs);
    await nextTurn();
    await sandbox.close();
    const closed = { status: 'rejected', reason: { code: 'SANDBOX_CLOSED' } };
    expect(await ends).toMatchObject([closed, closed]);
  });

  it('gives the next run the process that one waited for which gave up', async () => {
    let started = 0;
    const onlySecondStarts: Spawn = (command, args, options) => {
      started += 1;
      return started === 2
        ? spawnProcess(command, [...args], options)
        : stuck(command, args, options);
    };
    await using sandbox = await createSandbox(
      { osIsolation: 'off', startupSnapshot: 'off', poolSize: 1 },
      { spawn: onlySecondStarts },
    );
    const caller = new AbortController();
    const first = sandbox.run('1', { signal: caller.signal });
    await nextTurn();
    const second = sandbox.run('2');
    caller.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    expect(await second).toMatchObject({ status: 'ok', value: 2 });
  });
});

describe.each(['process', 'session'] as const)('a sandbox of isolation %s', (isolation) => {
  it('ends every process that it started when it is closed', async () => {
    const started: ChildProcess[] = [];
    const spawn: Spawn = (command, args, options) => {
      const child = spawnProcess(command, [...args], options);
      started.push(child);
      return child;
    };
    const sandbox = await createSandbox({ isolation, osIsolation: 'off' }, { spawn });
    expect(await sandbox.run('1')).toMatchObject({ status: 'ok' });
    const ends = started.filter((child) => !isOver(child)).map((child) => once(child, 'exit'));
    await sandbox.close();
    await Promise.all(ends);
    expect(started.length).toBeGreaterThan(0);
    expect(started.every(isOver)).toBe(true);
  });
});

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
