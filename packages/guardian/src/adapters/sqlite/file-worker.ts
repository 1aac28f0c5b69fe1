import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { failed } from '../../probes/layers/layer.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import type { FileWork } from './file-thread.ts';
import { readSqliteError } from './read-error.ts';

/** Others may write meanwhile: a check is not to fail for that. */
const BUSY_MS = 5_000;
const MOST_TOLD = 10;

parentPort?.postMessage(answer(workerData));

function answer(work: FileWork): Reading {
  try {
    return work.do === 'check' ? check(work) : checkpoint(work);
  } catch (error) {
    return readSqliteError(error);
  }
}

function check({ file, depth }: Extract<FileWork, { do: 'check' }>): Reading {
  // For reading only, so that a look at a broken file changes nothing in it.
  using database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const pragma = depth === 'quick' ? 'quick_check(1)' : `integrity_check(${MOST_TOLD})`;
  const told = database.prepare(`PRAGMA ${pragma}`).all().map((row) => Object.values(row)[0]);
  if (told.length === 1 && told[0] === 'ok') return HEALTHY;
  return failed('database.corrupted', 'decisive', told.join('; ').slice(0, 1_000));
}

function checkpoint({ file }: Extract<FileWork, { do: 'checkpoint' }>): Reading {
  using database = new DatabaseSync(file, { timeout: BUSY_MS });
  // As far as it can be done now: whoever reads an old state is not waited for.
  database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  return HEALTHY;
}
