import { z } from 'zod';
import { AgentManagerOptions } from '../manager/options.ts';
import { RetryOptions } from '../task/retry-options.ts';

const HOUR_MS = 3_600_000;

export const HarnessOptions = z.strictObject({
  ...AgentManagerOptions.shape,
  ...RetryOptions.shape,
  /** Only these waves, both ends included. Default: all. */
  waves: z
    .strictObject({ from: z.int().min(1), to: z.int().min(1) })
    .refine(({ from, to }) => from <= to, { message: '`from` must not come after `to`' })
    .optional(),
  /** How long a person has to decide about a task that waits, in ms. It never counts as a yes. */
  verdictTimeoutMs: z
    .number()
    .positive()
    .default(72 * HOUR_MS),
  /**
   * How many calls of a provider (the first word of a tool's name) may begin within any `perMs`, whatever the agents' places.
   * After a restart a whole `perMs` passes first, for nobody knows what was begun before.
   */
  rateLimits: z
    .record(
      z.string(),
      z.strictObject({ starts: z.int().positive(), perMs: z.number().positive() }),
    )
    .default({}),
  /** Lets tools of tier 3 run without a gate. For dry runs, where nothing real can happen. */
  allowUngoverned: z.boolean().default(false),
});
export type HarnessInput = z.input<typeof HarnessOptions>;
export type HarnessOptions = z.output<typeof HarnessOptions>;
