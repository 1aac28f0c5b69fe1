import { chmod, copyFile, open, stat, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { seededRandom } from '@buddy/core';
import { z } from 'zod';
import { doFileWork } from '../../adapters/sqlite/file-thread.ts';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';

const Damaged = z.strictObject({
  file: z.string(),
  kept: z.string(),
  /** The very file that was damaged: a healing puts another one in its place, which is left alone. */
  identity: z.string(),
  mode: z.int(),
});
type Damaged = z.output<typeof Damaged>;

const PAGE_SIZE_OFFSET = 16; // https://sqlite.org/fileformat.html, 1.3
const HEADER_BYTES = 100;

/**
 * A SQLite file is damaged: pages are overwritten with noise (`pages`), its end is cut off (`truncate`), or its header is noise
 * (`header`). What stands in its journal is not touched: play it in first, or readers see no damage. Nobody in this process
 * may have the file open meanwhile, for its locks would be lost.
 * @example
 * await using fault = await kit.inject(sqlitePage, { file: 'orders.db', pages: 3 });
 */
export const sqlitePage = defineFault({
  kind: 'sqlitePage',
  description: 'Pages of a SQLite file are overwritten, or it is cut off.',
  options: z.strictObject({
    file: z.string().min(1),
    how: z.enum(['pages', 'truncate', 'header']).default('pages'),
    /** How many are overwritten; the first one, with the header, is not among them. */
    pages: z.int().min(1).max(64).default(3),
    /** Which pages, and what noise. */
    seed: z.int().default(1),
  }),
  note: Damaged,
  caps: { seconds: 120, bytes: 268_435_456 },
  capability: () => AVAILABLE,
  open: async ({ file: given, how, pages, seed }, { scratch, takeBytes }) => {
    const file = resolve(given);
    const { mode, size } = await stat(file);
    const note: Damaged = {
      file,
      kept: join(scratch, 'whole'),
      identity: (await identify(file)) ?? '',
      mode: mode & 0o777,
    };
    return {
      note,
      isPresent: () => isDamaged(file),
      apply: async () => {
        takeBytes(size);
        await copyFile(file, note.kept);
        if (how === 'truncate') await truncate(file, Math.floor(size / 2));
        else if (how === 'header') await writeNoise(file, [{ at: 0, bytes: HEADER_BYTES }], seed);
        else await writeNoise(file, await choosePages(file, size, pages, seed), seed);
      },
      revert: () => mend(note),
    };
  },
  recover: mend,
  remains: async ({ file, identity }) => (await identify(file)) === identity && isDamaged(file),
});

interface Stretch {
  at: number;
  bytes: number;
}

/** Spread over the file, so that trees and not only free pages are hit. */
async function choosePages(
  file: string,
  size: number,
  count: number,
  seed: number,
): Promise<Stretch[]> {
  const handle = await open(file, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, PAGE_SIZE_OFFSET);
    const told = buffer.readUInt16BE(0);
    const bytes = told === 1 ? 65_536 : told; // 65 536 has no place in two bytes
    const total = Math.floor(size / bytes);
    const random = seededRandom(seed).child('pages');
    const numbers = new Set<number>();
    while (numbers.size < Math.min(count, total - 1)) {
      numbers.add(1 + Math.floor(random() * (total - 1)));
    }
    return [...numbers].map((page) => ({ at: page * bytes, bytes }));
  } finally {
    await handle.close();
  }
}

async function writeNoise(
  file: string,
  stretches: readonly Stretch[],
  seed: number,
): Promise<void> {
  const random = seededRandom(seed).child('noise');
  const handle = await open(file, 'r+');
  try {
    for (const { at, bytes } of stretches) {
      const noise = Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
      await handle.write(noise, 0, bytes, at);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isDamaged(file: string): Promise<boolean> {
  const reading = await doFileWork({ do: 'check', file, depth: 'full' });
  return reading.status === 'FAILED' && reading.signal === 'database.corrupted';
}

/** Only the file that was damaged: in what a healing put there, nothing is to be mended. */
async function mend({ file, kept, identity, mode }: Damaged): Promise<void> {
  const isKept = await stat(kept).then(
    () => true,
    () => false,
  );
  if (!isKept || (await identify(file)) !== identity) return;
  await chmod(file, mode); // a rollback may have made it read-only
  await copyFile(kept, file);
}

/** Its number alone may be another's by now: file systems use them again at once. */
async function identify(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found && `${found.ino}/${found.birthtimeNs}`;
}
