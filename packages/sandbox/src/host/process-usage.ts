import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** What a process uses now. */
export interface ProcessUsage {
  rssMb: number;
  cpuMs: number;
}

const PAGE_BYTES = 4_096;
/** Linux counts processor time in ticks of 1/100 s wherever Node runs. */
const MS_PER_TICK = 10;

export const hasProc: boolean = process.platform === 'linux';

/** Reads /proc of one process, in a few microseconds: the files stay open. */
export class ProcReader implements Disposable {
  readonly #statm: number;
  readonly #stat: number;
  readonly #bytes = Buffer.alloc(512);

  /** @throws {Error} When the process is gone. */
  constructor(pid: number) {
    this.#statm = openSync(`/proc/${pid}/statm`, 'r');
    this.#stat = openSync(`/proc/${pid}/stat`, 'r');
  }

  /** Undefined when the process is gone. */
  read(): ProcessUsage | undefined {
    try {
      const [, residentPages] = this.#text(this.#statm).split(' ', 2);
      const stat = this.#text(this.#stat);
      // After the name, which may hold spaces and is in parentheses: utime and stime are fields 14 and 15 of proc(5).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 13);
      return {
        rssMb: (Number(residentPages) * PAGE_BYTES) / 2 ** 20,
        cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
      };
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#statm);
    closeSync(this.#stat);
  }

  #text(file: number): string {
    return this.#bytes.toString('latin1', 0, readSync(file, this.#bytes, 0, this.#bytes.length, 0));
  }
}

/** From `ps`, for systems without /proc; takes some ten milliseconds, none of them the host's. */
export function readPsUsage(pid: number): Promise<ProcessUsage | undefined> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'rss=,time=', '-p', String(pid)], (error, stdout) => {
      const [, rssKb, time] = /^\s*(\d+)\s+([\d:.-]+)/.exec(stdout) ?? [];
      if (error || rssKb === undefined || time === undefined) resolve(undefined);
      else resolve({ rssMb: Number(rssKb) / 1_024, cpuMs: msOfPsTime(time) });
    });
  });
}

/** `[[hours:]minutes:]seconds[.hundredths]`. */
function msOfPsTime(time: string): number {
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000;
}

/** The process that does the work below a wrapper such as `unshare`, which waits for it. */
export function deepestDescendant(pid: number): number {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    return child ? deepestDescendant(Number(child)) : pid;
  } catch {
    return pid;
  }
}
