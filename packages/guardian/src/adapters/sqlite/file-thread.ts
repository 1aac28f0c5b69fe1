import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GuardianConfigError } from '../../errors.ts';
import { failed } from '../../probes/layers/layer.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { readSqliteCode } from './read-error.ts';

/** Work on a database file that takes as long as the file is big. */
export type FileWork =
  /** `quick` stops at the first trouble; `full` compares indexes with their tables, too. */
  { do: 'check'; file: string; depth: 'quick' | 'full' } | { do: 'checkpoint'; file: string };

/** What SQLite said, or the result code of its error. */
export type FileAnswer = { told: readonly string[] } | { code: number; message: string };

/**
 * Does it in a thread of its own: `node:sqlite` is synchronous, and the guardian's event loop is not to stand still.
 * The thread ends by itself.
 */
export function doFileWork(work: FileWork): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(findProgram(), {
      workerData: work,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.once('message', (answer: FileAnswer) => resolve(readingOf(answer)));
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`The thread for ${work.file} ended with code ${code}`)),
    );
  });
}

function readingOf(answer: FileAnswer): Reading {
  if ('code' in answer) return readSqliteCode(answer.code, answer.message);
  if (answer.told.length === 1 && answer.told[0] === 'ok') return HEALTHY;
  return failed('database.corrupted', 'decisive', answer.told.join('; ').slice(0, 1_000));
}

/** From sources the module beside this one; built, beside the entry, or above the chunk that this code was bundled into. */
function findProgram(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('./file-worker.ts', import.meta.url);
  const places = ['./sqlite-file-worker.js', '../sqlite-file-worker.js'].map(
    (place) => new URL(place, import.meta.url),
  );
  const program = places.find((place) => existsSync(place));
  if (program) return program;
  throw new GuardianConfigError(
    `The program that checks SQLite files is missing; it should be ${places.map((place) => fileURLToPath(place)).join(' or ')}`,
  );
}
