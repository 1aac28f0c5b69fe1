import { z } from 'zod';

/** One line each, JSON. */
export type Question = { ask: 'vitals' } | { ask: 'open'; count: number } | { ask: 'shed' };

export const VitalsAnswer = z.object({
  heap_used_bytes: z.number(),
  heap_limit_bytes: z.number().positive(),
  /** What was left after the last major collection; null until there was one. */
  heap_after_gc_bytes: z.number().nullable(),
  major_gcs: z.int().nonnegative(),
  /** Median since it was asked last; null when too little time has passed. */
  loop_delay_ms: z.number().nullable(),
});
export type VitalsAnswer = z.output<typeof VitalsAnswer>;

export const OpenAnswer = z.object({ could_open: z.boolean() });
export const ShedAnswer = z.object({ shed: z.literal(true) });
