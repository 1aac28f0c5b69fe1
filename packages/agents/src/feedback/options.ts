import { z } from 'zod';

export const FeedbackOptions = z.strictObject({
  /** After so many waves an outcome counts half as much; in waves. */
  halfLifeWaves: z.number().positive().default(1.5),
  /** How many times outcomes are drawn anew to learn what miscalibration chance alone would show. */
  redraws: z.int().positive().default(50),
});
export type FeedbackInput = z.input<typeof FeedbackOptions>;
export type FeedbackOptions = z.output<typeof FeedbackOptions>;

/** With fewer observations a signal is written but nothing acts on it. */
export const FEWEST_OBSERVATIONS = 8;
