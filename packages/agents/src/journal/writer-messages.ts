import type { Write } from './journal-writer.ts';

/** To the thread. */
export interface WriteRequest {
  batch: readonly Write[];
}

/** From the thread: what became of the batch before. */
export type WriteAnswer = { kind: 'written' } | { kind: 'failed'; message: string };
