// oxlint-disable unicorn/require-post-message-target-origin -- a thread, not a window
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { JournalOpenError } from './errors.ts';
import type { Write } from './journal-writer.ts';
import type { WriteAnswer, WriteRequest } from './writer-messages.ts';

/** What writes batches, one after the other. */
export interface BatchWriter {
  /** @throws When nothing of it was kept, or nobody knows. */
  write(batch: readonly Write[]): Promise<void>;
  close(): Promise<void>;
}

/** A journal's writer in a thread of its own, started when it is first needed, and anew when it has broken. */
export class WriterThread implements BatchWriter {
  readonly #file: string;
  #worker: Worker | undefined;
  #answer: PromiseWithResolvers<void> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  write(batch: readonly Write[]): Promise<void> {
    const worker = (this.#worker ??= this.#start());
    const answer = Promise.withResolvers<void>();
    this.#answer = answer;
    worker.ref(); // while somebody waits for it, the process must not end
    const request: WriteRequest = { batch };
    worker.postMessage(request);
    return answer.promise;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(findProgram(), {
      workerData: this.#file,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.unref();
    worker.on('message', (message: WriteAnswer) => {
      worker.unref();
      const answer = this.#answer;
      if (message.kind === 'written') answer?.resolve();
      else answer?.reject(new Error(message.message));
    });
    const broken = (error: Error) => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#answer?.reject(error);
    };
    worker.on('error', broken);
    worker.on('exit', (code) => broken(new Error(`The journal's thread ended with code ${code}`)));
    return worker;
  }
}

/** From sources the module beside this one; built, beside the entry, or above the chunk that this code was bundled into. */
function findProgram(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('./writer-worker.ts', import.meta.url);
  const places = ['./journal-writer.js', '../journal-writer.js'].map(
    (place) => new URL(place, import.meta.url),
  );
  const program = places.find((place) => existsSync(place));
  if (program) return program;
  throw new JournalOpenError(
    `The journal's program is missing; it should be ${places.map((place) => fileURLToPath(place)).join(' or ')}`,
  );
}
