import { z } from 'zod';

/** What the worker is told. */
export const RecorderConfig = z.strictObject({
  /** Where it says that it works. */
  port: z.int(),
  /** Where it keeps its counts. */
  file: z.string(),
  everyMs: z.int().positive(),
  providers: z.array(z.strictObject({ name: z.string(), url: z.url(), token: z.string() })),
});
export type RecorderConfig = z.output<typeof RecorderConfig>;

/** What the worker keeps, by provider. */
export const CallCounts = z.record(
  z.string(),
  z.strictObject({
    /** Of all lives, but for what came between its last look and an end. */
    calls: z.int(),
    /** How often it was seen to begin at 0. */
    lives: z.int(),
    ofThisLife: z.int(),
  }),
);
export type CallCounts = z.output<typeof CallCounts>;
