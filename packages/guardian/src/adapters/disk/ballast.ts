import { randomFillSync } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { errorCode } from '../../probes/layers/layer.ts';

const CHUNK_BYTES = 1_048_576;

/** A file that takes room until room is needed. */
export function createBallast(path: string, fullBytes: number, freeBytes: () => Promise<number>) {
  return {
    /** Makes it as large as it should be, or as far as so much stays free. */
    arm: async (keepFreeBytes: number, signal: AbortSignal): Promise<void> => {
      // What a file system could compress, or leave out as a hole, would be no ballast.
      const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, fullBytes)));
      const file = await open(path, 'a', 0o600);
      try {
        let { size } = await file.stat();
        while (size < fullBytes) {
          signal.throwIfAborted();
          const room = (await freeBytes()) - keepFreeBytes;
          const length = Math.min(chunk.length, fullBytes - size, room);
          if (length <= 0) break;
          size += (await file.write(chunk, 0, length)).bytesWritten;
        }
        await file.sync();
      } catch (error) {
        // As large as there is room for.
        if (errorCode(error) !== 'ENOSPC' && errorCode(error) !== 'EDQUOT') throw error;
      } finally {
        await file.close();
      }
    },
    release: (): Promise<void> => rm(path, { force: true }),
  };
}
