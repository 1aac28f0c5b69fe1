import { z } from 'zod';
import { VIOLATION_TYPES } from '../violations/violation.ts';
import { LOG_LEVELS, type ChildMessage as ChildMessageType } from './messages.ts';
import type { Wire } from './plain-data.ts';

/** No source has more lines, nor longer ones. */
const MAX_POSITION = 2 ** 24;
const run = z.int().nonnegative();
const id = z.int().nonnegative();
/** Read by `decodePlainData`, which checks it to the last leaf. */
const wire = z.custom<Wire>((value) => value !== undefined);
const position = z.int().positive().max(MAX_POSITION).nullable();

const Violation = z.strictObject({
  type: z.enum(VIOLATION_TYPES),
  details: z.string().max(4_096),
  line: position,
});

const GuestOutcome = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('value'), value: wire }),
  z.strictObject({
    status: z.literal('thrown'),
    thrown: z.strictObject({
      name: z.string().max(256),
      message: z.string().max(65_536),
      line: position,
      column: position,
    }),
    violation: Violation.nullable(),
  }),
  z.strictObject({
    status: z.literal('not-data'),
    problem: z.strictObject({
      kind: z.enum(['cycle', 'depth', 'size', 'type']),
      path: z.string().max(1_024),
      message: z.string().max(2_048),
      size: z.number().positive().max(Number.MAX_SAFE_INTEGER).optional(),
    }),
  }),
]);

/** What the host accepts from a child. Anything else ends the child. */
export const ChildMessage: z.ZodType<ChildMessageType> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('started'), run }),
  z.strictObject({
    type: z.literal('call'),
    run,
    id,
    tool: z.string().max(128),
    input: wire,
    line: position.default(null),
  }),
  z.strictObject({
    type: z.literal('timer'),
    run,
    id,
    ms: z
      .number()
      .nonnegative()
      .max(2 ** 31 - 1),
  }),
  z.strictObject({ type: z.literal('rested'), run }),
  z.strictObject({ type: z.literal('log'), run, level: z.enum(LOG_LEVELS), text: z.string() }),
  z.strictObject({ type: z.literal('violation'), run, violation: Violation }),
  z.strictObject({ type: z.literal('done'), run, outcome: GuestOutcome, isIdle: z.boolean() }),
]);
