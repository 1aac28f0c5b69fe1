import { readdir, readFile, readlink } from 'node:fs/promises';
import type { ProcessIdentity } from '../../resource/adapters.ts';

/** Where Linux tells of its processes. Elsewhere there is no such folder, and what it would tell is not known. */
const PROC = '/proc';
const UNKNOWN_START = 'unknown';

/** A process that is there and no zombie; undefined when it is gone. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readIfThere(`${PROC}/${pid}/stat`);
  if (stat === undefined) return (await hasProc()) ? undefined : identifyByAsking(pid);
  // The name stands in parentheses and may itself have some: the fields begin after the last.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = fields[19]; // the 22nd of proc(5), the third being the first here
  if (state === 'Z' || state === 'X' || startTime === undefined) return undefined;
  return { pid, startTime };
}

/** Whether this very process is still there: a pid alone may be another's by now. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startTime === identity.startTime;
}

/** Processes that were started with this variable in their environment. Those of other users cannot be read, and are not ours. */
export async function findByEnvironment(name: string, value: string): Promise<ProcessIdentity[]> {
  const entries = await readdir(PROC).catch(() => [] as string[]);
  const wanted = `${name}=${value}`;
  const found = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (entry) => {
        const environment = await readIfThere(`${PROC}/${entry}/environ`);
        if (environment?.split('\0').includes(wanted) !== true) return undefined;
        return identify(Number(entry));
      }),
  );
  return found.filter((identity) => identity !== undefined);
}

/** Whether the system tells of processes at all. */
export async function hasProc(): Promise<boolean> {
  return (await readIfThere(`${PROC}/self/stat`)) !== undefined;
}

function identifyByAsking(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0);
    return { pid, startTime: UNKNOWN_START };
  } catch {
    return undefined; // ESRCH: gone; EPERM: another user's, so not ours
  }
}

/** A process may end while it is read. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

const LISTEN = '0A'; // of include/net/tcp_states.h

/** The process that listens at a TCP port, as far as it can be seen without privileges. */
export async function findListener(
  port: number,
): Promise<{ is: 'nobody' | 'unknown' } | { is: 'process'; identity: ProcessIdentity }> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readIfThere(`${PROC}/net/${name}`)),
  );
  if (tables.every((table) => table === undefined)) return { is: 'unknown' };
  const inode = tables
    .flatMap((table = '') => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .find(([, local = '', , state]) => state === LISTEN && portOf(local) === port)?.[9];
  if (inode === undefined) return { is: 'nobody' };
  const entries = await readdir(PROC).catch(() => [] as string[]);
  for (const entry of entries.filter((each) => /^\d+$/.test(each))) {
    if (!(await holdsSocket(entry, inode))) continue;
    const identity = await identify(Number(entry));
    if (identity) return { is: 'process', identity };
  }
  return { is: 'unknown' }; // another user's: its descriptors cannot be read
}

function portOf(local: string): number {
  return Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
}

async function holdsSocket(pid: string, inode: string): Promise<boolean> {
  const folder = `${PROC}/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => [] as string[]);
  const links = await Promise.all(
    descriptors.map((each) => readlink(`${folder}/${each}`).catch(() => '')),
  );
  return links.includes(`socket:[${inode}]`);
}
