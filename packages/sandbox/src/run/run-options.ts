import type { Actor } from '@buddy/core';
import type { z } from 'zod';

export interface RunOptions<Output extends z.ZodType = z.ZodType> {
  /** Plain data, which the code finds as `input`. */
  input?: unknown;
  /** Ends the run; `run` rejects with its reason. */
  signal?: AbortSignal;
  /** Text or a finite number, of `Math.random`; a run with the same seed draws the same numbers. Default one that nobody can foresee. */
  seed?: string | number;
  /** What `Date.now()` is at first, in ms since the Unix epoch, no further from it than a `Date` can be. Default the clock's time. */
  now?: number;
  /** What the value has to be; another is an error of kind `result`, and so is what a part of the schema throws. */
  output?: Output;
  /** Default: JavaScript, and TypeScript where it is not that. */
  language?: 'javascript' | 'typescript';
  /** What tools are told of who calls. Default the agent `sandbox`. */
  actor?: Actor;
  rationale?: string;
  runId?: string;
  taskId?: string;
  /** What the idempotency keys of tool calls begin with: the same for every attempt at the same work. Default the execution id. */
  idempotencyKey?: string;
}

/** What a paused run does not remember of itself. */
export type ResumeOptions<Output extends z.ZodType = z.ZodType> = Pick<
  RunOptions<Output>,
  'signal' | 'output' | 'actor' | 'rationale' | 'runId' | 'taskId'
>;
