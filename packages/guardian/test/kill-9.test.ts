import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteStore } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';

const started: ChildProcess[] = [];
const folders: string[] = [];

/** A guardian in a process of its own, and a look at what it tells. */
function spawnGuardian(folder: string) {
  const program = new URL('children/mortal-guardian.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--conditions=@buddy/source', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  return {
    told: () => told,
    says: async (line: string) => {
      for (let waited = 0; !told.includes(`${line}\n`); waited += 5) {
        if (waited > 20_000) throw new Error(`it never said "${line}", but: ${told}`);
        await sleep(5);
      }
    },
    end: async (signal: NodeJS.Signals) => {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

/** Processes of the service, by the mark in their environment. */
async function servicesOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.includes(`BUDDY_SERVICE=${folder}/api`) ? [Number(pid)] : [];
    }),
  );
  return marked.flat();
}

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) {
    for (const pid of await servicesOf(folder)) process.kill(pid, 'SIGKILL');
  }
});

describe.runIf(process.platform === 'linux')('a guardian that is killed', () => {
  it('takes back the step that was under way, and starts over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-kill-'));
    folders.push(folder);
    const first = spawnGuardian(folder);
    await first.says('start intent'); // it is about to start the service, or has, and cannot tell any more
    await first.end('SIGKILL');
    const second = spawnGuardian(folder);
    await second.says('closed');
    expect(second.told()).toMatch(/start undone\nclear undoing\nclear undone\n/);
    expect(await servicesOf(folder)).toHaveLength(1);
    await second.end('SIGTERM');
    const store = openSqliteStore(join(folder, 'guardian.db'));
    expect(store.incidents(10)).toMatchObject([{ status: 'closed', closedAs: 'restored' }]);
    expect(store.runs(10).map(({ result }) => result)).toEqual(['restored', 'aborted']);
    await store.close();
  });

  it('again and again, at any moment, leaves one service, one incident, and no debt', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guardian-kill-'));
    folders.push(folder);
    for (const delayMs of [0, 15, 30, 45, 60, 75, 90, 110]) {
      const guardian = spawnGuardian(folder);
      await guardian.says('started');
      await sleep(delayMs);
      await guardian.end('SIGKILL');
      expect((await servicesOf(folder)).length).toBeLessThanOrEqual(1);
    }
    const last = spawnGuardian(folder);
    await last.says('started');
    for (let waited = 0; (await servicesOf(folder)).length === 0 && waited < 10_000; waited += 50) {
      await sleep(50);
    }
    await sleep(500);
    await last.end('SIGTERM');
    expect(await servicesOf(folder)).toHaveLength(1);
    const store = openSqliteStore(join(folder, 'guardian.db'));
    const state = store.load({ now: Date.now(), runsSince: 0 });
    expect([state.openIncidents, state.openRuns, state.undecided]).toEqual([[], [], []]);
    const { symptoms, outcomes, pending } = store.ledger();
    const decided = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    expect([pending, decided]).toEqual([0, symptoms]);
    await store.close();
  });
});
