import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { ResumeOptions, RunOptions } from './run-options.ts';

/** The last moment that a `Date` can hold, in ms from the Unix epoch; the first is as far before it. */
const LAST_MOMENT = 8_640_000_000_000_000;

const resumeFields = {
  signal: z.custom((given) => given instanceof AbortSignal, 'expected an AbortSignal').optional(),
  output: z
    .custom((given) => hasMethod(given, 'safeParseAsync'), 'expected a zod schema')
    .optional(),
  actor: z
    .object({
      kind: z.enum(['agent', 'human', 'system']),
      id: z.string(),
      onBehalfOf: z.string().optional(),
    })
    .optional(),
  rationale: z.string().optional(),
  runId: z.string().optional(),
  taskId: z.string().optional(),
} satisfies Record<keyof ResumeOptions, z.ZodType>;

const Resuming = z.strictObject(resumeFields);
/** What a token keeps of these has to be what a token can hold: a seed of NaN would be read back as null. */
const Running = z.strictObject({
  ...resumeFields,
  input: z.unknown().optional(), // read by `encodePlainData`
  seed: z.union([z.string(), z.number()]).optional(),
  now: z.number().min(-LAST_MOMENT).max(LAST_MOMENT).optional(),
  language: z.enum(['javascript', 'typescript']).optional(),
  idempotencyKey: z.string().min(1).optional(),
} satisfies Record<keyof RunOptions, z.ZodType>);
const Text = z.string();

/** @throws {InvalidInputError} Naming the option, before anything has run. */
export function checkRun(code: unknown, options: unknown): void {
  parseOrThrow(Text, code, 'code of a run');
  parseOrThrow(Running, options, 'options of a run');
}

/** @throws {InvalidInputError} As {@link checkRun}. */
export function checkResume(token: unknown, options: unknown): void {
  parseOrThrow(Text, token, 'token of a paused run');
  parseOrThrow(Resuming, options, 'options of resume');
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof Reflect.get(Object(value), name) === 'function';
}
