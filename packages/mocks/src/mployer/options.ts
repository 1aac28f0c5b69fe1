import { z } from 'zod';
import { MockOptions } from '../exchange/options.ts';

export const MployerMockOptions = MockOptions.extend({
  /** Who may log in: password by e-mail address. Left out: any address with any password that is not empty. */
  accounts: z.record(z.string(), z.string()).optional(),
  /** How long a session lasts, in milliseconds. */
  sessionMs: z
    .int()
    .positive()
    .default(30 * 60_000),
  /** How many people can be extracted in a UTC day. */
  dailyExtractions: z.int().nonnegative().default(10_000),
});
export type MployerMockInput = z.input<typeof MployerMockOptions>;
export type MployerMockOptions = z.output<typeof MployerMockOptions>;
