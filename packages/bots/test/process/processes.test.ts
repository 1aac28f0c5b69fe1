import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createSystemProcesses,
  type Launch,
  LaunchError,
  type Processes,
  type ProcessTree,
} from '@buddy/bots';
import { describe, expect, it } from 'vitest';
import { type FakeProcess, FakeProcesses } from './fake-processes.ts';
import { until } from './witness.ts';

/** What the tests below need of a program, for the machine's own shell. */
const PROGRAMS = {
  waits: 'echo ready; exec sleep 300',
  ignoresSigterm: "trap '' TERM; echo ready; exec sleep 300",
  endsWithThree: 'echo hello; echo trouble >&2; exit 3',
} as const;
type Program = keyof typeof PROGRAMS | 'missing';

/** The same, for the fake. */
function play(process: FakeProcess): void {
  const script = process.launch.args[1];
  if (script === PROGRAMS.endsWithThree) {
    process.write('stdout', 'hello\n');
    process.write('stderr', 'trouble\n');
    return process.exit(3);
  }
  process.isStubborn = script === PROGRAMS.ignoresSigterm;
  process.write('stdout', 'ready\n');
}

const ADAPTERS: [name: string, make: () => Processes][] = [
  ['the fake', () => new FakeProcesses(play)],
  ['this machine', () => createSystemProcesses({ useCgroups: false })],
  ['this machine, with control groups where there are any', () => createSystemProcesses()],
  ['this machine, by ps', () => createSystemProcesses({ lookUp: 'ps', useCgroups: false })],
];

let marks = 0;

function launchOf(program: Program, said: string[] = []): Launch {
  const isMissing = program === 'missing';
  return {
    mark: `contract-${process.pid}-${(marks += 1)}`,
    command: isMissing ? 'missing' : '/bin/sh',
    args: isMissing ? [] : ['-c', PROGRAMS[program]],
    cwd: undefined,
    environment: { PATH: process.env['PATH'] ?? '' },
    hasMessages: false,
    stopGraceMs: 100,
    onOutput: (stream, bytes) => said.push(`${stream}: ${bytes.toString().trim()}`),
    onMessage: () => undefined,
  };
}

async function untilSaid(said: readonly string[], text: string): Promise<void> {
  while (!said.includes(text)) await wait(5);
}

async function untilGone(tree: ProcessTree): Promise<void> {
  while ((await tree.signal('SIGKILL')) > 0) await wait(5);
}

describe.each(ADAPTERS)('processes: %s', (_name, make) => {
  const run = async (
    program: Program,
    test: (tree: ProcessTree, processes: Processes, launch: Launch) => Promise<void>,
  ): Promise<void> => {
    const processes = make();
    const said: string[] = [];
    const launch = launchOf(program, said);
    const tree = await processes.launch(launch);
    try {
      if (program !== 'endsWithThree') await untilSaid(said, 'stdout: ready');
      await test(tree, processes, launch);
    } finally {
      await untilGone(tree);
      tree.release();
      await processes.close();
    }
  };

  it('hands over what a process wrote before it tells how it ended', async () => {
    const processes = make();
    const said: string[] = [];
    const tree = await processes.launch(launchOf('endsWithThree', said));
    expect(await tree.exited).toMatchObject({ exitCode: 3, signal: null });
    expect(said.toSorted()).toEqual(['stderr: trouble', 'stdout: hello']);
    tree.release();
    await processes.close();
  });

  it('refuses a program that is not there, as a matter of configuration', async () => {
    const processes = make();
    const error = await processes.launch(launchOf('missing')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LaunchError);
    expect(error).toMatchObject({ code: 'BOTS_LAUNCH_FAILED', isConfiguration: true });
    await processes.close();
  });

  it('ends a process that obeys SIGTERM', () =>
    run('waits', async (tree) => {
      expect(await tree.survivors()).toEqual([tree.identity.pid]);
      expect(await tree.signal('SIGTERM')).toBe(1);
      expect(await tree.exited).toMatchObject({ exitCode: null, signal: 'SIGTERM' });
      expect(await tree.survivors()).toEqual([]);
      expect(await tree.signal('SIGTERM')).toBe(0);
    }));

  it('ends one that does not with SIGKILL only', () =>
    run('ignoresSigterm', async (tree) => {
      expect(await tree.signal('SIGTERM')).toBe(1);
      expect(await tree.survivors()).toEqual([tree.identity.pid]);
      expect(await tree.signal('SIGKILL')).toBe(1);
      expect(await tree.exited).toMatchObject({ signal: 'SIGKILL' });
    }));

  it('adopts a process by all of its identity, and none that bears the mark of another tree', () =>
    run('waits', async ({ identity }, processes, { mark }) => {
      const adopt = (change: Partial<typeof identity>, withMark = mark) =>
        processes.adopt({
          identity: { ...identity, ...change },
          mark: withMark,
          stopGraceMs: 100,
          onOutput: () => undefined,
        });
      expect(await adopt({ startedAtTicks: '1' })).toBeUndefined();
      expect(await adopt({ bootId: 'another' })).toBeUndefined();
      expect(await adopt({ pid: 1 })).toBeUndefined();
      expect(await adopt({}, 'another')).toBeUndefined();
      const adopted = await adopt({});
      expect(adopted?.identity).toEqual(identity);
      await adopted?.signal('SIGKILL');
      await adopted?.exited;
      expect(await adopted?.survivors()).toEqual([]);
      expect(await adopt({})).toBeUndefined();
      adopted?.release();
    }));

  it('finds what is left of a tree by its mark alone', () =>
    run('waits', async ({ identity }, processes, { mark }) => {
      expect(await (await processes.remains(mark)).survivors()).toEqual([identity.pid]);
      expect(await (await processes.remains('another')).survivors()).toEqual([]);
    }));

  it('tells what trees use, and nothing of one that is gone', () =>
    run('waits', async (tree, processes) => {
      // For a moment between two programs it has no memory at all.
      const [usage] = await until(
        () => processes.usage([tree]),
        ([now]) => now !== undefined && now.rssBytes > 100_000,
      );
      expect(usage?.processes).toBe(1);
      await tree.signal('SIGKILL');
      await tree.exited;
      expect(await processes.usage([tree])).toEqual([undefined]);
    }));
});

describe('a process that writes to its own file faster than anybody reads', () => {
  it('is read a bounded piece at a time, and its file is emptied all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-bots-'));
    const outputFiles = { stdout: join(folder, 'stdout'), stderr: join(folder, 'stderr') };
    const maxOutputFileBytes = 4 * 2 ** 20;
    const processes = createSystemProcesses({ useCgroups: false, maxOutputFileBytes });
    const turns: number[] = [];
    let isSameTurn = false;
    const tree = await processes.launch({
      ...launchOf('waits'),
      args: ['-c', 'head -c 40000000 /dev/zero; echo end; sleep 0.3; echo last'],
      outputFiles,
      onOutput: (_stream, bytes) => {
        if (!isSameTurn) {
          turns.push(0);
          isSameTurn = true;
          setImmediate(() => (isSameTurn = false));
        }
        turns.push((turns.pop() ?? 0) + bytes.length);
      },
    });
    await tree.exited;
    await until(
      () => statSync(outputFiles.stdout).size,
      (size) => size <= maxOutputFileBytes,
    );
    expect(Math.max(...turns)).toBeLessThanOrEqual(2 * 2 ** 20); // of a look, and of the one at the end
    tree.release();
    await processes.close();
    await rm(folder, { recursive: true });
  });
});
