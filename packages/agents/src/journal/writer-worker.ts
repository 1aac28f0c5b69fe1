import { parentPort, workerData } from 'node:worker_threads';
import { JournalWriter } from './journal-writer.ts';
import type { WriteAnswer, WriteRequest } from './writer-messages.ts';

/*
 * The thread that writes a journal: a commit waits for the disk, and nobody else should. It imports no package, so that it
 * starts in no time.
 */

const port = parentPort;
if (!port) throw new Error('This runs in a worker thread; see writer-thread.ts');
const writer = new JournalWriter(String(workerData));

port.on('message', ({ batch }: WriteRequest) => {
  port.postMessage(write(batch));
});

function write(batch: WriteRequest['batch']): WriteAnswer {
  try {
    writer.write(batch);
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
