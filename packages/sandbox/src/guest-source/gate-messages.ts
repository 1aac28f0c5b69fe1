import { z } from 'zod';
import type { GuestSource } from './guest-source.ts';
import type { GuestSourceOptions } from './prepare-guest-source.ts';

export interface GateRequest {
  readonly text: string;
  readonly options: GuestSourceOptions;
}

const place = { line: z.int().positive(), column: z.int().positive() };

const GuestSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ready'),
    source: z.string(),
    lineOffset: z.int().nonnegative(),
    columnOffset: z.int().nonnegative(),
    imports: z.array(z.string()).readonly(),
    language: z.enum(['javascript', 'typescript']),
    positions: z.instanceof(Int32Array<ArrayBuffer>),
  }),
  z.strictObject({
    kind: z.literal('rejected'),
    error: z.strictObject({
      kind: z.enum(['syntax', 'reference', 'unsupported']),
      name: z.enum(['SyntaxError', 'ReferenceError', 'UnsupportedSyntaxError']),
      message: z.string(),
      ...place,
      frame: z.string(),
      hint: z.string().exactOptional(),
    }),
  }),
  z.strictObject({
    kind: z.literal('violation'),
    violation: z.strictObject({
      type: z.enum([
        'NETWORK_ACCESS_ATTEMPT',
        'SUBPROCESS_ATTEMPT',
        'FILESYSTEM_ATTEMPT',
        'IMPORT_ALLOWLIST_VIOLATION',
      ]),
      details: z.string(),
      ...place,
    }),
  }),
]) satisfies z.ZodType<GuestSource>;

/** What the thread says. */
export const GateAnswer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('started') }),
  /** `isSpent`: the thread cannot be used for another text. */
  z.strictObject({
    kind: z.literal('prepared'),
    source: GuestSourceSchema,
    isSpent: z.boolean(),
  }),
]);
export type GateAnswer = z.input<typeof GateAnswer>;
