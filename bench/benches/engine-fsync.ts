import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WRITES = 100;

/** What the disk lets through just now, where temporary files are: a page appended and synced, one after the other, per second. */
export function probeFsync(): number {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bench-fsync-'));
  const file = openSync(join(folder, 'probe'), 'w');
  try {
    const page = Buffer.alloc(4_096, 1);
    const startedAt = performance.now();
    for (let nth = 0; nth < WRITES; nth += 1) {
      writeSync(file, page);
      fdatasyncSync(file);
    }
    return (WRITES * 1_000) / (performance.now() - startedAt);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
