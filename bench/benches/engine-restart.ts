import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const ROUNDS = 7;
const TASKS = 300;
/** So many are done when the process is killed; twenty are under way. */
const KILL_AFTER = 120;
const PROGRAM = fileURLToPath(new URL('../children/engine-restart.ts', import.meta.url));

/** Times in milliseconds since the new process was spawned. */
interface Restart {
  booted: number;
  loaded: number;
  firstCall: number;
}

/** A process is killed in the middle of calls, and another spawned at once: when does it make the first of them again? All must end well. */
export async function measureRestart(): Promise<Figure[]> {
  for (const name of ['core', 'agents']) build(name);
  const restarts: Restart[] = [];
  for (let round = 0; round < ROUNDS; round += 1) restarts.push(await restartOnce());
  const of = (part: (restart: Restart) => number) => summary(restarts.map(part));
  return [
    {
      name: 'kill -9 and spawn to the first interrupted call, less the boot of Node',
      unit: 'ms',
      ...of(({ firstCall, booted }) => firstCall - booted),
      target: { is: 'at most', value: 250 },
    },
    { name: 'of that, reading the modules', unit: 'ms', ...of((at) => at.loaded - at.booted) },
    {
      name: 'of that, from a loaded package to the first call',
      unit: 'ms',
      ...of((at) => at.firstCall - at.loaded),
    },
    { name: 'the boot of Node', unit: 'ms', ...of(({ booted }) => booted), isPeer: true },
  ];
}

/** Our users have the packages built; to read their sources takes Node ten times as long. */
function build(name: string): void {
  const root = new URL('../../', import.meta.url);
  execFileSync(fileURLToPath(new URL('node_modules/.bin/tsup', root)), ['--silent'], {
    cwd: fileURLToPath(new URL(`packages/${name}`, root)),
  });
}

async function restartOnce(): Promise<Restart> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-restart-'));
  const file = join(folder, 'journal.db');
  try {
    const interrupted = await killInTheMiddle(start(file));
    const spawnedAt = performance.timeOrigin + performance.now();
    const times = new Map<string, number>();
    let first = '';
    for await (const { what, at, taskId } of told(start(file))) {
      if (!times.has(what)) times.set(what, at - spawnedAt);
      if (what === 'begun') first ||= taskId;
    }
    if (!times.has('completed')) throw new Error('What was interrupted was not completed');
    if (!interrupted.has(first)) throw new Error(`${first} was called first, and not interrupted`);
    const [booted = NaN, loaded = NaN, firstCall = NaN] = ['booted', 'loaded', 'begun'].map(
      (what) => times.get(what),
    );
    return { booted, loaded, firstCall };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns The tasks that it had called: those in hand, and those whose results may not have been kept yet. */
async function killInTheMiddle(child: ChildProcess): Promise<Set<string>> {
  const called = new Set<string>();
  let done = 0;
  for await (const { what, taskId } of told(child)) {
    if (what === 'begun') called.add(taskId);
    if (what !== 'done') continue;
    done += 1;
    if (done === KILL_AFTER) child.kill('SIGKILL');
  }
  if (called.size === done) throw new Error('It was in the middle of nothing when it was killed');
  return called;
}

function start(file: string): ChildProcess {
  return spawn(process.execPath, [PROGRAM, file, String(TASKS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function* told(child: ChildProcess) {
  if (!child.stdout) throw new Error('Nothing can be heard of it');
  const ended = child.exitCode === null ? once(child, 'exit') : undefined;
  for await (const line of createInterface(child.stdout)) {
    const [what = '', at = '', taskId = ''] = line.split(' ');
    yield { what, at: Number(at), taskId };
  }
  await ended;
}
