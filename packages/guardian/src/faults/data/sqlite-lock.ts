import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { findByEnvironment, identify } from '../../adapters/process/proc.ts';
import { isBusy } from '../../adapters/sqlite/read-error.ts';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';

const Held = z.strictObject({ mark: z.string() });
const MARK = 'BUDDY_FAULT_LOCK';

/** Holds the lock until it is killed or who started it is gone; gives it up, and lives on, when it is asked to by a signal. */
const HOLDER = `
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(process.argv[1], { timeout: 2000 });
database.exec('BEGIN EXCLUSIVE');
process.on('SIGUSR2', () => { if (database.isTransaction) database.exec('ROLLBACK'); });
process.stdin.resume().on('end', () => process.exit());
process.stdout.write('held');
`;

/** What a test needs of it. */
export interface LockHolding {
  /** The process that holds the lock; undefined when there is none. It rolls back at SIGUSR2, and goes on living. */
  holder(): Promise<ProcessIdentity | undefined>;
}

/**
 * Another process holds the write lock of a SQLite file, in a transaction that does not end.
 * @example
 * await using fault = await kit.inject(sqliteLock, { file: 'orders.db' });
 * const holder = await fault.handle.holder();
 */
export const sqliteLock = defineFault({
  kind: 'sqliteLock',
  description: 'A second process holds BEGIN EXCLUSIVE on a SQLite file.',
  options: z.strictObject({ file: z.string().min(1) }),
  note: Held,
  caps: { seconds: 120, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ file: given }, { scratch }) => {
    const file = resolve(given);
    const mark = scratch;
    let child: ChildProcess | undefined;
    return {
      note: { mark },
      handle: {
        holder: async () => (child?.pid === undefined ? undefined : identify(child.pid)),
      } satisfies LockHolding,
      isPresent: async () => isLocked(file),
      apply: async (signal) => {
        child = spawn(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', '-e', HOLDER, file],
          {
            env: { [MARK]: mark },
            stdio: ['pipe', 'pipe', 'inherit'],
            signal,
            killSignal: 'SIGKILL',
          },
        );
        await hasSpoken(child);
      },
      revert: async () => {
        await end(child);
        await killMarked(mark);
      },
    };
  },
  recover: ({ mark }) => killMarked(mark),
  remains: async ({ mark }) => (await findByEnvironment(MARK, mark)).length > 0,
});

function hasSpoken(child: ChildProcess): Promise<void> {
  return new Promise((resolved, reject) => {
    child.stdout?.once('data', () => resolved());
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`The process that was to hold the lock ended with code ${code}`)),
    );
  });
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolved) => child.once('exit', resolved));
  child.kill('SIGKILL');
  await ended;
}

async function killMarked(mark: string): Promise<void> {
  for (const { pid } of await findByEnvironment(MARK, mark)) process.kill(pid, 'SIGKILL');
}

function isLocked(file: string): boolean {
  try {
    using database = new DatabaseSync(file, { timeout: 0 });
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  }
}
