import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { MARK_NAME, type ProcessRow, type ProcessTable } from './process-table.ts';
import { signalIfSame } from './linux-process-table.ts';

const run = promisify(execFile);

/** Words of `ps` that Linux and macOS share; with `=` there is no headline. */
const COLUMNS = 'pid=,ppid=,pgid=,sess=,stat=,rss=,time=,lstart=';
/** Times and dates are in the words of the locale. */
const SETTINGS = { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' }, maxBuffer: 64 * 2 ** 20 };

/**
 * Asks `ps`, where there is no `/proc`. Start times are in whole seconds there, so a number given away within the same second is
 * not told apart; and a signal follows some milliseconds after the look.
 */
export function createPsProcessTable(bootId: string): ProcessTable {
  return {
    bootId,
    all: async (isAsked) => {
      const rows = await allRows();
      const asked = rows.filter(isAsked);
      return { rows, marks: asked.length > 0 ? await marksOf(asked) : new Map() };
    },
    find: findRow,
    below: async (starts) => {
      const rows = await allRows();
      return starts.map((pids) => walkDown(pids, rows));
    },
    marksOf,
    signal: (key, signal) => signalIfSame(key, signal, findRow),
    outOfMemoryKills: () => undefined,
  };
}

/** When the machine booted, which macOS tells in place of an id. */
export function readMacBootId(): string {
  return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
}

async function marksOf(rows: readonly ProcessRow[]): Promise<ReadonlyMap<number, string>> {
  const { stdout } = await run('ps', ['axeww', '-o', 'pid=,command='], SETTINGS);
  const asked = new Set(rows.map(({ pid }) => pid));
  return new Map(marksIn(stdout).filter(([pid]) => asked.has(pid)));
}

async function allRows(): Promise<ProcessRow[]> {
  return rowsOf((await run('ps', ['-A', '-o', COLUMNS], SETTINGS)).stdout);
}

function findRow(pid: number): ProcessRow | undefined {
  try {
    const text = execFileSync('ps', ['-p', String(pid), '-o', COLUMNS], {
      ...SETTINGS,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return rowsOf(text)[0];
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined; // there is none
    throw error;
  }
}

function rowsOf(text: string): ProcessRow[] {
  return text.split('\n').flatMap((line) => {
    const [pid, ppid, pgid, sess, state, rss, time, ...start] = line.trim().split(/\s+/);
    if (!pid || !state || !time) return [];
    return {
      pid: Number(pid),
      parentPid: Number(ppid),
      groupId: Number(pgid),
      sessionId: Number(sess), // macOS may say 0: then the group has to do
      startedAtTicks: String(Date.parse(`${start.join(' ')} UTC`) / 1000),
      // `l` is Linux's word for several threads: the first has ended, and the others run.
      isZombie: state.startsWith('Z') && !state.includes('l'),
      rssBytes: Number(rss) * 1024,
      cpuMs: millisecondsOf(time),
    };
  });
}

/** `1-02:03:04` on Linux, `123:04.56` on macOS. */
function millisecondsOf(time: string): number {
  const [clock = '', days = '0'] = time.split('-').toReversed();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

function walkDown(known: readonly number[], rows: readonly ProcessRow[]): ProcessRow[] {
  const found = new Set(known);
  // A child starts after its parent, but numbers wrap: again, until no more are found.
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const { pid, parentPid } of rows) if (found.has(parentPid)) found.add(pid);
  }
  return rows.filter(({ pid }) => found.has(pid));
}

function marksIn(text: string): [pid: number, mark: string][] {
  const pattern = new RegExp(`^\\s*(\\d+)\\s.*\\s${MARK_NAME}=(\\S+)`, 'gm');
  return [...text.matchAll(pattern)].map(([, pid, mark]) => [Number(pid), mark ?? '']);
}
