import { z } from 'zod';

export const MonitorOptions = z.strictObject({
  /** A task is slow beyond doubt when the modified z of its time exceeds this. */
  outlierZ: z.number().min(3).default(3.5),
  /** Largest over mean busy time per slot that still passes for balanced. */
  imbalanceRatio: z.number().min(1).default(1.25),
  /** Share of repeats among the latest attempts that makes a retry storm. */
  retryStormShare: z.number().gt(0).lt(1).default(0.5),
  /** A wave stalls when nothing happens for this many times the longest prediction. */
  stalledFactor: z.number().min(1).default(3),
});
export type MonitorInput = z.input<typeof MonitorOptions>;
export type MonitorOptions = z.output<typeof MonitorOptions>;
