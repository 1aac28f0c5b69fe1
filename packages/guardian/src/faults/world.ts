import { lstat, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { defineFault } from './define-fault.ts';
import { AVAILABLE } from './host.ts';

const Removed = z.strictObject({ path: z.string(), kept: z.string() });

/**
 * A file is not there any more. It is moved aside in its own folder, and moved back as it was: over whatever a healing has
 * put in its place.
 * @example
 * await using fault = await kit.inject(fileRemove, { path: 'config.json' });
 */
export const fileRemove = defineFault({
  kind: 'fileRemove',
  description: 'A file is not there.',
  options: z.strictObject({ path: z.string().min(1) }),
  note: Removed,
  caps: { seconds: 120, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ path: given }, { scratch }) => {
    const path = resolve(given);
    // Beside it, for a rename does not leave its file system; named for the fault, so that two never meet.
    const kept = join(dirname(path), `.${basename(scratch)}.${basename(path)}`);
    const note = { path, kept };
    return {
      note,
      isPresent: async () => !(await isThere(path)),
      apply: () => rename(path, kept),
      revert: () => putBack(note),
    };
  },
  recover: putBack,
  remains: async ({ path, kept }) => (await isThere(kept)) || !(await isThere(path)),
});

async function putBack({ path, kept }: z.output<typeof Removed>): Promise<void> {
  if (await isThere(kept)) await rename(kept, path);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
