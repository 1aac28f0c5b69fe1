import { readdir, readFile } from 'node:fs/promises';
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

async function hasProc(): Promise<boolean> {
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
