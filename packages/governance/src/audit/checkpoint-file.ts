import { appendJsonLines } from '@buddy/core';
import type { Clock } from '@buddy/core';
import type { PublishCheckpoint } from './checkpointer.ts';

/**
 * Adds each checkpoint to a file of JSON Lines: best on another machine's disk, or one that can only be added to.
 * @example
 * openLedger({ file }, { publish: appendCheckpointsTo('/mnt/witness/checkpoints.jsonl', systemClock) });
 */
export function appendCheckpointsTo(path: string, clock: Pick<Clock, 'now'>): PublishCheckpoint {
  return ({ origin, size, root, note }) =>
    appendJsonLines(path, [
      {
        at: new Date(clock.now()).toISOString(),
        origin,
        size,
        root_hash: Buffer.from(root).toString('base64'),
        note,
      },
    ]);
}
