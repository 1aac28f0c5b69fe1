import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether a fault can be injected on this machine by this user, and if not, why. */
export type Capability = { is: 'available' } | { is: 'unavailable'; reason: string };

export const AVAILABLE: Capability = Object.freeze({ is: 'available' });

/** What faults ask of the machine that they are to be injected on. */
export interface FaultHost {
  readonly platform: NodeJS.Platform;
  /** Undefined where users have no number (Windows). */
  readonly uid: number | undefined;
  /** Whether `/proc` tells of processes. */
  hasProc(): Promise<boolean>;
  /** Where a program of the PATH is; undefined when there is none. */
  program(name: string): Promise<string | undefined>;
  /** Whether this user may make user, mount and network namespaces. Found out by making some. */
  namespaces(): Promise<Capability>;
}

/** The machine that this process runs on. What was found out once is not asked again. */
export function thisHost(environment: NodeJS.ProcessEnv = process.env): FaultHost {
  const program = (name: string) => programOf(name, environment['PATH'] ?? '');
  let namespaces: Promise<Capability> | undefined;
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    hasProc: () => isReadable('/proc/self/stat'),
    program,
    namespaces: () => (namespaces ??= tryNamespaces(program)),
  };
}

async function programOf(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((each) => each !== '')) {
    const file = join(folder, name);
    if (await isReadable(file, constants.X_OK)) return file;
  }
  return undefined;
}

const TRY_MS = 5_000;

async function tryNamespaces(program: FaultHost['program']): Promise<Capability> {
  const unshare = await program('unshare');
  if (unshare === undefined) {
    return { is: 'unavailable', reason: 'there is no `unshare` (util-linux) in the PATH' };
  }
  return new Promise((resolve) => {
    const refused = (why: string) =>
      resolve({ is: 'unavailable', reason: `this user may not make namespaces: ${why.trim()}` });
    try {
      execFile(unshare, ['-Urnm', 'true'], { timeout: TRY_MS }, (error, _stdout, stderr) => {
        if (error) refused(stderr === '' ? error.message : stderr);
        else resolve(AVAILABLE);
      });
    } catch (error) {
      refused(String(error)); // EPERM is thrown, and not told to the callback
    }
  });
}

async function isReadable(path: string, mode = constants.R_OK): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false; // whatever the reason: it is not to be had
  }
}
