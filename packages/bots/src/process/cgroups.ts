import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOpenKernelText } from './kernel-text.ts';

/**
 * A control group (cgroup v2) of one tree. Nobody leaves it by forking, by a session of its own or by clearing its
 * environment, and the kernel ends all of it at one stroke.
 */
export class Cgroup {
  readonly #folder: string;
  readonly #files = new Map<string, number>();
  /** Whether its tree is over. */
  isClosed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** False when it cannot be: a tree is found without it, too. */
  make(): boolean {
    try {
      mkdirSync(this.#folder, { recursive: true });
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /** At once, for a number that was checked has to be still the same when the kernel sees it. False when it cannot be. */
  add(pid: number): boolean {
    try {
      writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid));
      return true;
    } catch (error) {
      // ESRCH: it has ended already. Anything else: the tree is found without, as where there are no cgroups.
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /** Of processes in it, dead ones too. */
  pids(): readonly number[] {
    const text = this.#read('cgroup.procs');
    return text ? text.trimEnd().split('\n').map(Number) : [];
  }

  /** Of all that were ever in it; undefined when the kernel does not tell. */
  cpuMs(): number | undefined {
    const micros = /^usage_usec (\d+)$/m.exec(this.#read('cpu.stat') ?? '')?.[1];
    return micros === undefined ? undefined : Number(micros) / 1000;
  }

  /** False when the kernel cannot (before Linux 5.14). */
  kill(): boolean {
    try {
      writeFileSync(join(this.#folder, 'cgroup.kill'), '1');
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /** Looks at it no more. */
  close(): void {
    this.isClosed = true;
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  /** Once all of it is gone. */
  async remove(): Promise<void> {
    this.close();
    for (let left = 20; left > 0; left -= 1) {
      try {
        await rmdir(this.#folder);
        return;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        if (error.code !== 'EBUSY') return; // gone, or not ours to remove
        await new Promise((resolve) => setTimeout(resolve, 50)); // the last one is still being buried
      }
    }
  }

  /** Opening one takes longer than reading it, and they are read several times a second. */
  #read(name: string): string | undefined {
    if (this.isClosed) return undefined;
    try {
      const file = this.#files.get(name) ?? openSync(`${this.#folder}/${name}`, 'r');
      this.#files.set(name, file);
      return readOpenKernelText(file);
    } catch (error) {
      if (isSystemError(error)) return undefined; // ENODEV: it has been removed
      throw error;
    }
  }
}

/** Where this process may make control groups: below its own. Undefined where there are none, or it may not. */
export function findCgroupBase(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mount = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    if (mount === undefined || own === undefined) return undefined;
    const base = join(mount, own);
    rmdirSync(mkdtempSync(join(base, 'buddy-bot-trial-')));
    return base;
  } catch (error) {
    if (isSystemError(error)) return undefined; // EACCES, EROFS: the usual case of an ordinary user
    throw error;
  }
}

export function cgroupFolder(base: string, mark: string): string {
  return join(base, `buddy-bot-${mark}`);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
