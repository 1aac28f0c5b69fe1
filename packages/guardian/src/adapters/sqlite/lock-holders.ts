import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { identify } from '../process/proc.ts';

/*
 * Which bytes SQLite locks: in the file itself PENDING and RESERVED (os.h), in the index of the write-ahead log the byte of
 * the writer (wal.c). Linux tells of such locks in /proc/locks, proc_locks(5).
 */
const RESERVED_BYTES = { from: 0x40000000, to: 0x40000001 };
const WAL_WRITER_BYTES = { from: 120, to: 120 };

export interface FileLockHolder extends ProcessIdentity {
  /** Its program, for people. */
  program: string;
}

/** Processes that hold the write lock of a database file; undefined where the system does not tell. */
export async function findWriters(file: string): Promise<FileLockHolder[] | undefined> {
  const table = await readFile('/proc/locks', 'utf8').catch(() => undefined);
  if (table === undefined) return undefined;
  const [database, index] = await Promise.all([inodeOf(file), inodeOf(`${file}-shm`)]);
  const pids = new Set(
    table.split('\n').flatMap((line) => {
      // 1: POSIX  ADVISORY  WRITE 1234 fe:00:56789 1073741825 1073741825; those who wait have an arrow instead.
      const [, kind, , access, pid, place, from, to] = line.trim().split(/\s+/);
      if (kind !== 'POSIX' || access !== 'WRITE' || place === undefined) return [];
      const range = { from: Number(from), to: to === 'EOF' ? Infinity : Number(to) };
      const isWriter =
        (place === database && doOverlap(range, RESERVED_BYTES)) ||
        (place === index && doOverlap(range, WAL_WRITER_BYTES));
      return isWriter ? [Number(pid)] : [];
    }),
  );
  const holders = await Promise.all([...pids].map((pid) => describeProcess(pid)));
  return holders.filter((holder) => holder !== undefined);
}

/** Processes that have the file open, as far as they can be seen; undefined where the system does not tell. */
export async function findOpeners(file: string): Promise<number[] | undefined> {
  const entries = await readdir('/proc').catch(() => undefined);
  if (entries === undefined) return undefined;
  const path = await realpath(file).catch(() => file);
  const paths = new Set([path, `${path}-wal`, `${path}-shm`]);
  const isOpener = async (pid: string): Promise<boolean> => {
    const folder = `/proc/${pid}/fd`;
    const descriptors = await readdir(folder).catch(() => []); // another user's, or gone
    const links = await Promise.all(
      descriptors.map((each) => readlink(`${folder}/${each}`).catch(() => '')),
    );
    return links.some((link) => paths.has(link));
  };
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  const opens = await Promise.all(pids.map((pid) => isOpener(pid)));
  return pids.filter((_, index) => opens[index]).map(Number);
}

/** As /proc/locks writes it: device in hexadecimal, inode in decimal. */
async function inodeOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found) return undefined;
  const { dev, ino } = found;
  // Of makedev(3): the lower bits first, the others above.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${hex(major)}:${hex(minor)}:${ino}`;
}

function hex(number: bigint): string {
  return number.toString(16).padStart(2, '0');
}

async function describeProcess(pid: number): Promise<FileLockHolder | undefined> {
  const identity = await identify(pid);
  if (!identity) return undefined;
  const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown');
  return { ...identity, program: program.trim() };
}

function doOverlap(a: { from: number; to: number }, b: { from: number; to: number }): boolean {
  return a.from <= b.to && b.from <= a.to;
}
