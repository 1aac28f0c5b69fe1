import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { createSupervisor, createSystemProcesses } from '@buddy/bots';
import { describe, expect, it } from 'vitest';
import { bot, MemoryBots } from '../supervisor/memory-bots.ts';
import { newToken, newTrees, type Tree } from './trees.ts';
import { processesWith, until } from './witness.ts';

/** The nightly run asks for 200. */
const TREES = Number(process.env['BUDDY_TREES'] ?? 20);
const AT_ONCE = 20;

async function inBatches(endBatch: (trees: readonly Tree[]) => Promise<void>): Promise<void> {
  for (let left = TREES; left > 0; left -= AT_ONCE) {
    const trees = newTrees(Math.min(left, AT_ONCE));
    try {
      await endBatch(trees);
      expect(survivorsOf(trees)).toEqual([]);
    } finally {
      for (const { token } of trees) for (const pid of processesWith(token)) killIfThere(pid);
    }
  }
}

/** Each tree is there, as far as it goes: else its end would show nothing. */
async function untilUnfolded(trees: readonly Tree[]): Promise<void> {
  for (const { token, processes, kind } of trees) {
    await until(
      () => ({ kind, found: processesWith(token).length }),
      ({ found }) => found >= processes,
    );
  }
}

function survivorsOf(trees: readonly Tree[]): string[] {
  return trees.filter(({ token }) => processesWith(token).length > 0).map(({ kind }) => kind);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has gone by itself
  }
}

function host(trees: readonly Tree[], ...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL('supervisor-host.ts', import.meta.url));
  const definitions = JSON.stringify(trees.map(({ definition }) => definition));
  return spawn(process.execPath, ['--conditions=@buddy/source', program, definitions, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe(`of ${TREES} process trees`, () => {
  it.each([
    ['by group, parents and mark', false],
    ['by control group as well, where there are any', true],
  ])(
    'none has a survivor when the supervisor closes: %s',
    (_how, useCgroups) =>
      inBatches(async (trees) => {
        const registry = new MemoryBots(trees.map(({ definition }) => definition));
        const processes = createSystemProcesses({ useCgroups });
        const supervisor = createSupervisor({ registry }, { processes });
        await supervisor.startAll();
        await untilUnfolded(trees);
        await supervisor.close();
        expect(survivorsOf(trees)).toEqual([]);
      }),
    300_000,
  );

  it.each([
    ['is ended by SIGKILL', 'SIGKILL', []],
    ['is ended by SIGKILL, with control groups where there are any', 'SIGKILL', ['cgroups']],
    ['is interrupted', 'SIGINT', []],
  ] as const)(
    'none has a survivor when the supervisor itself %s',
    (_how, signal, args) =>
      inBatches(async (trees) => {
        const supervisor = host(trees, ...args);
        const ended = once(supervisor, 'exit');
        await untilUnfolded(trees);
        supervisor.kill(signal);
        expect(await ended).toEqual([null, signal]);
        await until(
          () => survivorsOf(trees),
          (left) => left.length === 0,
        );
      }),
    300_000,
  );

  it(
    'none has a survivor when its first process has ended by itself',
    () =>
      inBatches(async (trees) => {
        const going = trees.map(({ token, kind }) => ({
          token,
          kind,
          // It leaves three behind: one in its group, one in a session of its own, one that init has.
          script: `sleep ${token} & setsid sleep ${token} & (setsid sleep ${token} &); exec sleep 0.2`,
        }));
        const registry = new MemoryBots(
          going.map(({ script }, index) =>
            bot(`tree-${index}`, {
              command: 'sh',
              args: ['-c', script],
              stopGraceMs: 300,
              restart: { kind: 'temporary' },
            }),
          ),
        );
        const processes = createSystemProcesses({ useCgroups: false });
        const supervisor = createSupervisor({ registry }, { processes });
        await supervisor.startAll();
        await until(
          () => registry.all(),
          (bots) => bots.every(({ status }) => status === 'stopped'),
        );
        expect(survivorsOf(trees)).toEqual([]);
        await supervisor.close();
      }),
    300_000,
  );
});

/** Python, for a program whose first thread ends and whose others do not: few languages let one write it. */
const FIRST_THREAD_ENDS = `
import ctypes, os, platform, signal, sys, threading, time
if sys.argv[2] == 'child':
    if os.fork():
        signal.pause()
    os.setsid()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=time.sleep, args=(30,)).start()
print('ready', os.getpid(), flush=True)
ctypes.CDLL(None).syscall({'x86_64': 60}.get(platform.machine(), 93), 0)`;

function hasPython(): boolean {
  return spawnSync('python3', ['-c', '']).status === 0;
}

describe('a process whose first thread has ended while others run', () => {
  it.runIf(hasPython()).each([
    ['and that leads its tree', 'leader', 'proc'],
    ['and that left the group of its tree', 'child', 'proc'],
    ['and that leads its tree, by ps', 'leader', 'ps'],
  ] as const)(
    'is as alive as any other: %s',
    async (_how, place, lookUp) => {
      const token = newToken(3);
      const registry = new MemoryBots([
        bot('ada', {
          command: 'python3',
          args: ['-c', FIRST_THREAD_ENDS, token, place],
          readiness: { kind: 'line', text: 'ready' },
          stopGraceMs: 200,
          restart: { kind: 'temporary' },
        }),
      ]);
      const processes = createSystemProcesses({ useCgroups: false, lookUp });
      const supervisor = createSupervisor({ registry }, { processes });
      await supervisor.start('ada');
      const said = (await supervisor.logs('ada')).map(({ text }) => text).join();
      const pid = Number(/ready (\d+)/.exec(said)?.[1]);
      try {
        await until(
          () => statOf(pid)[0],
          (state) => state === 'Z',
        );
        expect((await supervisor.status('ada')).status).toBe('running');
        await supervisor.stop('ada');
        expect(['', 'Z 1']).toContain([statOf(pid)[0], statOf(pid)[17]].join(' ').trim());
      } finally {
        killIfThere(pid);
        await supervisor.close();
      }
    },
    15_000,
  );
});

/** Another process every few milliseconds, in a session of its own, for 10 s at most. */
const FORKS_IN_A_CHAIN = `
use POSIX;
if (fork()) { sleep 60; exit }
POSIX::setsid(); exit if fork();
$SIG{TERM} = 'IGNORE'; my $end = time() + 10;
while (time() < $end) { exit if fork(); select(undef, undef, undef, 0.003) }`;

describe('a process that forks and exits in a chain', () => {
  it.runIf(spawnSync('perl', ['-e', '']).status === 0)(
    'is ended with its tree',
    async () => {
      const token = newToken(4);
      const args = ['-e', FORKS_IN_A_CHAIN, token];
      const registry = new MemoryBots([
        bot('ada', { command: 'perl', args, stopGraceMs: 100, restart: { kind: 'temporary' } }),
      ]);
      const processes = createSystemProcesses({ useCgroups: false });
      const supervisor = createSupervisor({ registry }, { processes });
      await supervisor.start('ada');
      await wait(300); // until it is well on its way: from outside there is nothing to wait for
      await supervisor.close();
      const seen = new Set<number>();
      for (let look = 0; look < 50; look += 1) {
        for (const pid of processesWith(token)) seen.add(pid);
        await wait(2);
      }
      expect([...seen]).toEqual([]);
    },
    30_000,
  );
});

describe('a control group, where there is one,', () => {
  it('holds what has left its group, its parents and its environment', async ({ skip }) => {
    const token = newToken(2);
    // Each way to find it but the control group is cut off before anybody looks.
    const script = 'sleep 0.3; (env -i /usr/bin/setsid /bin/sleep $0 &); exec sleep 1$0';
    const registry = new MemoryBots([
      bot('ada', { command: 'sh', args: ['-c', script, token], stopGraceMs: 300 }),
    ]);
    const supervisor = createSupervisor({ registry });
    await supervisor.start('ada');
    const pid = (await supervisor.identity('ada'))?.pid ?? 0;
    await until(
      () => processesWith(`sleep ${token}`).filter((found) => found !== pid),
      (found) => found.length === 1,
    );
    const hasGroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes('/buddy-bot-');
    await supervisor.close();
    const left = processesWith(`sleep ${token}`);
    for (const found of left) killIfThere(found);
    if (!hasGroup) skip('this user may not make control groups here');
    expect(left).toEqual([]);
  });
});

describe('a supervisor whose reaper was ended', () => {
  it('has another one', async () => {
    const trees = newTrees(2);
    const supervisor = host(trees);
    const ended = once(supervisor, 'exit');
    await untilUnfolded(trees);
    const reapers = () =>
      processesWith('reaper-main').filter((pid) => parentOf(pid) === supervisor.pid);
    const [first] = await until(reapers, (found) => found.length === 1);
    killIfThere(first ?? 0);
    await until(reapers, (found) => found.length === 1 && found[0] !== first);
    await wait(200); // until it has been told of the trees, too: nobody can see that from outside
    supervisor.kill('SIGKILL');
    await ended;
    const left = await until(
      () => survivorsOf(trees),
      (found) => found.length === 0,
    );
    expect(left).toEqual([]);
  });
});

describe('a stranger', () => {
  it('is not signalled though it has the number of a bot that is gone', async () => {
    const token = newToken(0);
    const stranger = spawn('sleep', [token], { stdio: 'ignore' });
    const registry = new MemoryBots([bot('ada'), bot('bob')]);
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const pid = stranger.pid ?? 0;
    const startedAtTicks = String(Number(ticksOf(pid)) - 1);
    for (const [id, status] of [
      ['ada', 'running'],
      ['bob', 'stopping'],
    ] as const) {
      const earlier = { pid, startedAtTicks, bootId };
      registry.put({ ...registry.now(id), status, process: earlier, mark: `mark-of-${id}` });
    }
    const supervisor = createSupervisor({ registry });
    expect(await supervisor.open()).toEqual({ adopted: [], buried: ['ada', 'bob'] });
    await supervisor.stopAll();
    await supervisor.close();
    expect(processesWith(token)).toEqual([pid]);
    stranger.kill('SIGKILL');
  });

  it.runIf(canChooseNextPid())(
    'is not signalled though it got the number of a process of a living tree',
    async () => {
      const token = newToken(1);
      const processes = createSystemProcesses({ useCgroups: false });
      const tree = await processes.launch({
        mark: `reuse-${process.pid}`,
        command: 'sh',
        args: ['-c', `sleep 0${token.replace('1234', '1')} & sleep ${token} & wait`],
        cwd: undefined,
        environment: { PATH: process.env['PATH'] ?? '' },
        hasMessages: false,
        stopGraceMs: 100,
        onOutput: () => undefined,
        onMessage: () => undefined,
      });
      const members = await until(
        () => tree.survivors(),
        (found) => found.length === 3,
      );
      const [number = 0] = await until(
        () => members.filter((pid) => !processesWith(token).includes(pid)),
        (short) => short.length === 1,
      );
      await until(
        () => members.filter((pid) => existsSync(`/proc/${pid}`)),
        (left) => left.length === 2,
      );
      const stranger = await strangerWith(number, `${token}1`);
      expect(stranger.pid).toBe(number);
      await tree.signal('SIGTERM');
      await tree.signal('SIGKILL');
      await tree.exited;
      expect(await tree.survivors()).toEqual([]);
      expect(processesWith(`${token}1`)).toEqual([number]);
      stranger.kill('SIGKILL');
      tree.release();
      await processes.close();
    },
  );
});

function ticksOf(pid: number): string | undefined {
  return statOf(pid)[19];
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
}

/** From the state on; nothing of one that is gone. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  } catch {
    return [];
  }
}

const LAST_PID = '/proc/sys/kernel/ns_last_pid';

/** With the capability for it the kernel can be told which number to give out next; root has it as a rule. */
function canChooseNextPid(): boolean {
  try {
    closeSync(openSync(LAST_PID, 'r+'));
    return true;
  } catch {
    return false;
  }
}

async function strangerWith(pid: number, token: string): Promise<ChildProcess> {
  for (let tries = 0; tries < 200; tries += 1) {
    const file = openSync(LAST_PID, 'r+');
    writeSync(file, String(pid - 1));
    closeSync(file);
    const child = spawn('sleep', [token], { stdio: 'ignore' });
    if (child.pid === pid) return child;
    child.kill('SIGKILL'); // somebody else was quicker
    await wait(5);
  }
  throw new Error(`Nobody got the number ${pid}`);
}
