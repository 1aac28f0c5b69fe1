import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';

/** Where Linux tells of its processes. Elsewhere there is no such folder, and what it would tell is not known. */
const PROC = '/proc';
const execute = promisify(execFile);
/** A time is written in one way, whoever starts us. */
const PLAIN = { LC_ALL: 'C', TZ: 'UTC' };

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

/** Whether this very process was started with the variable in its environment. */
export async function hasInEnvironment(
  identity: ProcessIdentity,
  name: string,
  value: string,
): Promise<boolean> {
  const environment = await readIfThere(`${PROC}/${identity.pid}/environ`);
  const isSo = environment?.split('\0').includes(`${name}=${value}`) === true;
  return isSo && isAlive(identity); // last, so that it was read of this process and of no successor
}

/** What a variable of its environment said when a process was started; undefined where it cannot be read or was not set. */
export async function environmentOf(pid: number, name: string): Promise<string | undefined> {
  const environment = await readIfThere(`${PROC}/${pid}/environ`);
  const entry = environment?.split('\0').find((each) => each.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** What the kernel tells of a process that runs. */
export interface ProcessFigures {
  /** `R` runs or is ready, `S` sleeps, `D` waits for a device, `T` was stopped. */
  state: string;
  residentBytes: number;
  openFiles: { count: number; limit: number | undefined };
  /** Processor time that it has used, in ticks of a hundredth of a second. */
  cpuTicks: number;
}

/** Undefined when it is gone, another user's, or there is no `/proc`. */
export async function readFigures(pid: number): Promise<ProcessFigures | undefined> {
  const folder = `${PROC}/${pid}`;
  const [stat, status, limits, descriptors] = await Promise.all([
    readIfThere(`${folder}/stat`),
    readIfThere(`${folder}/status`),
    readIfThere(`${folder}/limits`),
    readdir(`${folder}/fd`).catch(() => undefined),
  ]);
  if (stat === undefined || status === undefined || descriptors === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '?'] = fields;
  const resident = /^VmRSS:\s*(\d+) kB/m.exec(status)?.[1];
  if (resident === undefined) return undefined; // a zombie has no memory
  const limit = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]; // none when it says unlimited
  return {
    state,
    residentBytes: Number(resident) * 1024,
    openFiles: {
      count: descriptors.length,
      limit: limit === undefined ? undefined : Number(limit),
    },
    cpuTicks: Number(fields[11]) + Number(fields[12]), // utime and stime, the 14th and 15th of proc(5)
  };
}

/** Whether the system tells of processes at all. */
export async function hasProc(): Promise<boolean> {
  return (await readIfThere(`${PROC}/self/stat`)) !== undefined;
}

/** By POSIX' `ps`, to the second: without the time of its start, a number that was used again would be taken for ours, and ended. */
async function identifyByAsking(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const asked = ['-o', 'state=,lstart=', '-p', String(pid)];
    const { stdout } = await execute('ps', asked, { env: { ...process.env, ...PLAIN } });
    const [, state = 'Z', startTime = ''] = /^\s*(\S)\S*\s+(.*\S)\s*$/.exec(stdout) ?? [];
    return state === 'Z' ? undefined : { pid, startTime };
  } catch (error) {
    const isWithoutPs = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isWithoutPs ? identifyByNumber(pid) : undefined; // `ps` ends with 1 when it is gone
  }
}

/** Where not even `ps` is: Windows. */
function identifyByNumber(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0);
    return { pid, startTime: 'unknown' };
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

/** Ports at which a process listens. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const table = (await listeners()) ?? [];
  const held = new Set(await descriptorsOf(pid));
  return table.filter(({ inode }) => held.has(`socket:[${inode}]`)).map(({ port }) => port);
}

/** The process that listens at a TCP port, as far as it can be seen without privileges. */
export async function findListener(
  port: number,
): Promise<{ is: 'nobody' | 'unknown' } | { is: 'process'; identity: ProcessIdentity }> {
  const table = await listeners();
  if (table === undefined) return { is: 'unknown' };
  const inode = table.find((listener) => listener.port === port)?.inode;
  if (inode === undefined) return { is: 'nobody' };
  const entries = await readdir(PROC).catch(() => [] as string[]);
  for (const entry of entries.filter((each) => /^\d+$/.test(each))) {
    if (!(await holdsSocket(entry, inode))) continue;
    const identity = await identify(Number(entry));
    if (identity) return { is: 'process', identity };
  }
  return { is: 'unknown' }; // another user's: its descriptors cannot be read
}

async function listeners(): Promise<{ port: number; inode: string }[] | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readIfThere(`${PROC}/net/${name}`)),
  );
  if (tables.every((table) => table === undefined)) return undefined;
  return tables
    .flatMap((table = '') => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state, , , , , , inode]) =>
      state === LISTEN && inode !== undefined ? [{ port: portOf(local), inode }] : [],
    );
}

function portOf(local: string): number {
  return Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
}

async function holdsSocket(pid: string, inode: string): Promise<boolean> {
  return (await descriptorsOf(Number(pid))).includes(`socket:[${inode}]`);
}

/** What the descriptors of a process lead to; nothing for a process of another user. */
export async function descriptorsOf(pid: number): Promise<string[]> {
  const folder = `${PROC}/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => [] as string[]);
  return Promise.all(descriptors.map((each) => readlink(`${folder}/${each}`).catch(() => '')));
}
