import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@buddy/core';
import { AVAILABLE, defineFault } from '@buddy/guardian/faults';
import { z } from 'zod';

const Admitted = z.array(z.string());

/**
 * A provider lets in by another token from now on, and by that alone. It is there as long as what clients use is not let in.
 * Of the kit's own faults, `credentialRotate` puts the old secret back at the end; here the new one is the client's by then.
 */
export const tokenRotated = defineFault({
  kind: 'tokenRotated',
  description: 'A provider lets in by another token.',
  options: z.strictObject({
    /** Of the tokens that are let in: a JSON list. */
    path: z.string().min(1),
    token: z.string().min(1),
    /** The token that clients use now. */
    inUse: z.custom<() => Promise<string>>((value) => typeof value === 'function'),
  }),
  note: z.strictObject({ path: z.string() }),
  caps: { seconds: 600, bytes: 0 },
  lasting: 'a token that was rotated stays so: who calls takes the new one',
  capability: () => AVAILABLE,
  open: async ({ path, token, inUse }) => ({
    note: { path },
    isPresent: async () => {
      const admitted = Admitted.parse(JSON.parse(await readFile(path, 'utf8')));
      return !admitted.includes(await inUse());
    },
    apply: () => writeFileAtomic(path, JSON.stringify([token]), { mode: 0o600 }),
    revert: async () => undefined,
  }),
  recover: async () => undefined,
});
