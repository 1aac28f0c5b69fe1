import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { FileAnswer, FileWork } from './file-thread.ts';

// It imports nothing at run time but Node itself: it starts in a few ms, and is one file when it is built.

/** Others may write meanwhile: a check is not to fail for that. */
const BUSY_MS = 5_000;
const MOST_TOLD = 10;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
parentPort?.postMessage(answer(workerData));

function answer(work: FileWork): FileAnswer {
  try {
    return { told: work.do === 'check' ? check(work) : checkpoint(work) };
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

function check({ file, depth }: Extract<FileWork, { do: 'check' }>): string[] {
  // For reading only, so that a look at a broken file changes nothing in it.
  using database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const pragma = depth === 'quick' ? 'quick_check(1)' : `integrity_check(${MOST_TOLD})`;
  const rows = database.prepare(`PRAGMA ${pragma}`).all();
  return rows.map((row) => String(Object.values(row)[0]));
}

function checkpoint({ file }: Extract<FileWork, { do: 'checkpoint' }>): string[] {
  using database = new DatabaseSync(file, { timeout: BUSY_MS });
  // As far as it can be done now: whoever reads an old state is not waited for.
  database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  return ['ok'];
}
