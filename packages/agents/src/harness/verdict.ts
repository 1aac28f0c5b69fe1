import { z } from 'zod';

const explanation = z.string().min(1, 'must say why');

/** What a person says of a task that waits, checked where it comes in: it may come from a form or a file. */
export const VerdictSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('proceed') }),
  z.strictObject({ kind: z.literal('deny'), explanation }),
  z.strictObject({ kind: z.literal('completed') }),
  z.strictObject({ kind: z.literal('failed'), explanation }),
]);
