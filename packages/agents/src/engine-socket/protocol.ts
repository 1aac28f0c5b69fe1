import { z } from 'zod';

// One JSON object a line, both ways. A connection carries one request and all its answers.

const WorkflowId = z.string().min(1);

export const EngineRequest = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('signal'),
    id: WorkflowId,
    topic: z.string().min(1),
    /** Any JSON. */
    value: z.unknown(),
    key: z.string().min(1),
  }),
  z.strictObject({ command: z.literal('cancel'), id: WorkflowId, reason: z.string().min(1) }),
  z.strictObject({ command: z.literal('list') }),
]);
export type EngineRequest = z.output<typeof EngineRequest>;

const WorkflowView = z.object({
  id: z.string(),
  workflow: z.string(),
  status: z.enum(['running', 'cancelled', 'completed', 'failed']),
  cancelReason: z.string().nullable(),
});

/** An answer; the last one of a request is `done` or `failed`. */
export const EngineAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({
    kind: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    effect: z.enum(['none', 'unknown']),
  }),
  z.object({ kind: z.literal('workflow'), view: WorkflowView }),
]);
export type EngineAnswer = z.output<typeof EngineAnswer>;

/** In bytes; more than this in one line is no request. */
export const LONGEST_REQUEST = 16 * 1_024 * 1_024;
