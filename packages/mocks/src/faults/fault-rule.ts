import { z } from 'zod';

/** The statuses that a fault can answer; each becomes the error class that it has on the wire. */
const FAULT_STATUSES = [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504] as const;

/**
 * One way in which calls go wrong, as plain data: it can be kept in a file.
 * @example
 * { match: { provider: 'gohighlevel', operation: 'contacts.*' }, kind: 'status', status: 503, when: { rate: 0.01 } }
 */
export const FaultRule = z.strictObject({
  match: z.strictObject({
    /** Whose calls; everybody's when left out. */
    provider: z.enum(['mployer', 'gohighlevel', 'msgraph']).optional(),
    /** The operation's name, `*` standing for any part of it. */
    operation: z.string().min(1),
  }),
  /** What happens instead of the answer. */
  kind: z.literal('status'),
  status: z.literal(FAULT_STATUSES),
  /** How long a 429 asks to wait, in milliseconds; 1000 when left out. */
  retryAfterMs: z.int().nonnegative().optional(),
  when: z.strictObject({
    /** The share of the matching calls. Rates of several rules add up and may not pass 1. */
    rate: z.number().min(0).max(1),
  }),
});
export type FaultRule = z.output<typeof FaultRule>;

/** A profile by its name, or the rules themselves. */
export const Faults = z.union([z.enum(['none', 'seed']), z.array(FaultRule)], {
  // Zod keeps to itself what is wrong inside a union; of a list it is worth saying.
  error: ({ input, errors }) =>
    Array.isArray(input)
      ? `must be a list of fault rules: ${problemsOf(errors).join('; ')}`
      : "must be 'none', 'seed' or a list of fault rules",
});
export type Faults = z.output<typeof Faults>;

function problemsOf(errors: readonly z.core.$ZodIssue[][]): string[] {
  const [, ofTheList = []] = errors;
  return ofTheList.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
