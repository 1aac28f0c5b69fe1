import { z } from 'zod';
import { BotId } from '../bot/bot.ts';

export const SupervisorOptions = z
  .strictObject({
    /** How often it is looked at what bots use, in ms. A breach is found at most so late. */
    sampleEveryMs: z.int().positive().default(250),
    /**
     * What becomes of bots when this process dies without a word: `end` has a small process end them, `leave` lets them run
     * on, for the next supervisor to adopt. `leave` needs `logs`: a pipe would break with its reader.
     */
    orphans: z.enum(['end', 'leave']).default('end'),
    /** Where what bots write is kept, a file each. Left out: in memory only. */
    logs: z
      .strictObject({
        /** An absolute path; made when it is not there, for this user only. */
        folder: z.string().startsWith('/'),
        maxFileBytes: z.int().positive().default(10_485_760),
        /** With the one that is written to. */
        maxFiles: z.int().min(2).default(5),
      })
      .optional(),
    /** How many lines of each bot are kept in memory. */
    ringLines: z.int().positive().default(1_000),
    /** And of how many characters at most. */
    ringCharacters: z.int().positive().default(262_144),
    /** Bots that somebody else restarts from the beginning: see `handOver`. */
    handedOver: z.array(BotId).readonly().default([]),
  })
  .refine(({ orphans, logs }) => orphans === 'end' || logs !== undefined, {
    path: ['logs'],
    error: "must be given when orphans is 'leave': what bots write has to outlive this process too",
  });
export type SupervisorInput = z.input<typeof SupervisorOptions>;
export type SupervisorOptions = z.output<typeof SupervisorOptions>;
