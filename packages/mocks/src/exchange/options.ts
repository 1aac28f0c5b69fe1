import { z } from 'zod';
import { Faults } from '../faults/fault-rule.ts';
import { Latency } from './latency.ts';

/** What all mocks can be told. */
export const MockOptions = z.strictObject({
  /** Decides faults, latencies, data and ids. */
  seed: z.union([z.int(), z.string()]).default(1),
  /** What goes wrong: a profile (`none`, the original system's rates `seed`, ...), or rules of your own. */
  faults: Faults.default('none'),
  /** Whether a caller that uses an operation again before a fault's `retryAfterMs` has passed is throttled once more. */
  earlyRetries: z.enum(['throttled', 'allowed']).default('throttled'),
  /** How long answers take, on the clock. */
  latency: Latency.default('typical'),
  /** How many calls the journal keeps. */
  journalSize: z.int().nonnegative().default(10_000),
});
export type MockOptions = z.output<typeof MockOptions>;
