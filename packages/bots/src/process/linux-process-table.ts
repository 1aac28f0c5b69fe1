import { readdirSync, readFileSync } from 'node:fs';
import { codeOf, isGone, readKernelText } from './kernel-text.ts';
import { MARK_NAME, type ProcessKey, type ProcessRow, type ProcessTable } from './process-table.ts';

/**
 * Reads `/proc`. Synchronously: its files are made by the kernel on the spot, and reading one takes 4 us, a tenth of what
 * asking a thread for it does. It also leaves no moment between the check of an identity and the signal.
 */
export function createLinuxProcessTable(): ProcessTable {
  const scale = readScale();
  const find = (pid: number) => readRow(pid, scale);
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
    all: async (isAsked) => {
      const rows: ProcessRow[] = [];
      const marks = new Map<number, string>();
      // The newest first, and each mark at once: one that forks and exits in a chain is there for a moment only.
      for (const pid of allPids().toSorted((one, other) => other - one)) {
        const row = find(pid);
        if (!row) continue;
        rows.push(row);
        const mark = isAsked(row) ? readMark(pid) : undefined;
        if (mark !== undefined) marks.set(pid, mark);
      }
      return { rows, marks };
    },
    find,
    below: async (starts) => starts.map((pids) => walkDown(pids, find)),
    marksOf: async (rows) =>
      new Map(
        rows.flatMap(({ pid }) => {
          const mark = readMark(pid);
          return mark === undefined ? [] : [[pid, mark] as const];
        }),
      ),
    signal: (key, signal) => signalIfSame(key, signal, find),
    outOfMemoryKills: () => {
      const text = readKernelText('/proc/vmstat');
      const count = text && /^oom_kill (\d+)$/m.exec(text)?.[1];
      return count === undefined ? undefined : Number(count);
    },
  };
}

/**
 * Between the look and the signal lie a few microseconds in which the process could end, be reaped by its own parent and
 * its number be given away; Linux hands out all other numbers first, so it would take as many starts within that time.
 */
export function signalIfSame(
  { pid, startedAtTicks }: ProcessKey,
  signal: NodeJS.Signals,
  find: (pid: number) => ProcessRow | undefined,
): boolean {
  const row = find(pid);
  if (row?.startedAtTicks !== startedAtTicks || row.isZombie) return false;
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (isGone(error) || codeOf(error) === 'EPERM') return false; // it has another user by now (setuid)
    throw error;
  }
}

interface Scale {
  pageBytes: number;
  ticksPerSecond: number;
}

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

/** The vector that the kernel gave to this process, getauxval(3): what `getconf` tells, without starting it. */
function readScale(): Scale {
  const vector = readFileSync('/proc/self/auxv');
  const scale = { pageBytes: 4096, ticksPerSecond: 100 };
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    const value = Number(vector.readBigUInt64LE(at + 8));
    const kind = vector.readBigUInt64LE(at);
    if (kind === AT_PAGESZ) scale.pageBytes = value;
    if (kind === AT_CLKTCK) scale.ticksPerSecond = value;
  }
  return scale;
}

function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    return Number.isInteger(pid) ? [pid] : [];
  });
}

/** proc_pid_stat(5). The name is in parentheses and may hold any character, a closing parenthesis too. */
function readRow(pid: number, { pageBytes, ticksPerSecond }: Scale): ProcessRow | undefined {
  const text = readKernelText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const numberAt = (index: number) => Number(fields[index - FIRST_AFTER_NAME]);
  const ticks = numberAt(14) + numberAt(15) + numberAt(16) + numberAt(17);
  const state = fields[0];
  return {
    pid,
    parentPid: numberAt(4),
    groupId: numberAt(5),
    sessionId: numberAt(6),
    startedAtTicks: fields[22 - FIRST_AFTER_NAME] ?? '',
    // The first thread of a process may end before the others: it then looks dead, and runs.
    isZombie: (state === 'Z' || state === 'X') && numberAt(20) <= 1,
    rssBytes: numberAt(24) * pageBytes,
    cpuMs: (ticks * 1000) / ticksPerSecond,
  };
}

/** The manual counts from 1, and the state is field 3. */
const FIRST_AFTER_NAME = 3;

function walkDown(
  pids: readonly number[],
  find: (pid: number) => ProcessRow | undefined,
): ProcessRow[] {
  const rows: ProcessRow[] = [];
  const seen = new Set(pids);
  // A set that grows while it is walked is walked to its new end.
  for (const pid of seen) {
    const row = find(pid);
    if (!row) continue;
    rows.push(row);
    // Of its main thread: what others have started shows in the next look at all processes.
    const children = readKernelText(`/proc/${pid}/task/${pid}/children`);
    if (children) for (const child of children.trimEnd().split(' ')) seen.add(Number(child));
  }
  return rows;
}

function readMark(pid: number): string | undefined {
  const environment = readKernelText(`/proc/${pid}/environ`) || readEnvironmentOfThreads(pid);
  if (!environment) return undefined;
  const at = `\0${environment}`.indexOf(`\0${MARK_NAME}=`);
  if (at < 0) return undefined;
  const from = at + MARK_NAME.length + 1;
  const end = environment.indexOf('\0', from);
  return environment.slice(from, end < 0 ? undefined : end);
}

/** A first thread that has ended has no environment any more; those that run on have. */
function readEnvironmentOfThreads(pid: number): string | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).filter((name) => name !== String(pid));
    for (const thread of threads) {
      const environment = readKernelText(`/proc/${pid}/task/${thread}/environ`);
      if (environment) return environment;
    }
    return undefined;
  } catch (error) {
    if (isGone(error) || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
