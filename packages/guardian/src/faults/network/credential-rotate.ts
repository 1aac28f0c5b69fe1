import { randomBytes } from 'node:crypto';
import { chmod, lstat, readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';

// Names of files, never what is in them.
const Rotated = z.strictObject({ path: z.string(), kept: z.string() });
type Rotated = z.output<typeof Rotated>;

const SECRET_BYTES = 32;

/**
 * The secret that a server reads from a file is another from now on, a random one: whoever has the old one is refused. The old
 * file is moved aside in its own folder, and moved back.
 * @example
 * await using fault = await kit.inject(credentialRotate, { path: 'server.key' });
 */
export const credentialRotate = defineFault({
  kind: 'credentialRotate',
  description: 'A secret in a file is another one.',
  options: z.strictObject({
    path: z.string().min(1),
    /** What it is to be. Default: random. */
    secret: z.string().min(1).optional(),
  }),
  note: Rotated,
  caps: { seconds: 600, bytes: 0 },
  capability: () => AVAILABLE,
  open: async (
    { path: given, secret = randomBytes(SECRET_BYTES).toString('base64url') },
    { scratch },
  ) => {
    const path = resolve(given);
    const kept = join(dirname(path), `.${basename(scratch)}.${basename(path)}`);
    const note: Rotated = { path, kept };
    return {
      note,
      isPresent: () => differs(note),
      apply: async () => {
        const { mode } = await stat(path);
        await rename(path, kept);
        await writeFileAtomic(path, secret, { mode: mode & 0o777 });
        await chmod(path, mode & 0o777); // whatever the umask
      },
      revert: () => putBack(note),
    };
  },
  recover: putBack,
  remains: async ({ kept }) => isThere(kept),
});

async function differs({ path, kept }: Rotated): Promise<boolean> {
  if (!(await isThere(kept)) || !(await isThere(path))) return false;
  const [now, before] = await Promise.all([readFile(path), readFile(kept)]);
  return !now.equals(before);
}

async function putBack({ path, kept }: Rotated): Promise<void> {
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
