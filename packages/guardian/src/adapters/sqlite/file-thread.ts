import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GuardianConfigError } from '../../errors.ts';
import type { Reading } from '../../resource/reading.ts';

/** Work on a database file that takes as long as the file is big. */
export type FileWork =
  /** `quick` stops at the first trouble; `full` compares indexes with their tables, too. */
  { do: 'check'; file: string; depth: 'quick' | 'full' } | { do: 'checkpoint'; file: string };

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
    worker.once('message', (reading: Reading) => resolve(reading));
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`The thread for ${work.file} ended with code ${code}`)),
    );
  });
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
