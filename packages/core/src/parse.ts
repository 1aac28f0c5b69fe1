import { z } from 'zod';
import { BuddyError } from './errors.ts';
import { onlyDeclares } from './synchronous-schema.ts';

/** A value from outside does not have the shape it must have. */
export class InvalidInputError extends BuddyError {
  readonly code = 'CORE_INVALID_INPUT';
  /** What was being read: `options of createHarness`. */
  readonly subject: string;
  readonly issues: readonly z.core.$ZodIssue[];

  constructor(subject: string, error: z.ZodError) {
    super(`Invalid ${subject}:\n${z.prettifyError(error)}`, { cause: error });
    this.subject = subject;
    this.issues = error.issues;
  }
}

/**
 * Checks a value where it enters; what comes back can be trusted.
 * @param subject What the value is, for the message: `options of createHarness`.
 * @throws {InvalidInputError} Naming each field that does not fit, and why.
 */
export function parseOrThrow<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw new InvalidInputError(subject, result.error);
  return result.data;
}

/**
 * `safeParse`, for a schema that may have an asynchronous part. Without a promise where it has none, for that is several
 * times faster.
 *
 * Each function in the schema is called once. Trying `safeParse` first would call it a second time where it is asynchronous,
 * and leave the promise of the first try to nobody: when that rejects, the process ends.
 */
export function safeParseEither<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> | Promise<z.ZodSafeParseResult<z.output<Schema>>> {
  if (onlyDeclares(schema)) return schema.safeParse(value);
  // What `safeParseAsync` does, save that it always makes a promise.
  const context = { async: true };
  // oxlint-disable-next-line eslint/no-underscore-dangle -- what zod calls its way to run a schema as part of another
  const parsed = schema._zod.run({ value, issues: [] }, context);
  return parsed instanceof Promise
    ? parsed.then((payload) => resultOf<Schema>(payload, context))
    : resultOf<Schema>(parsed, context);
}

function resultOf<Schema extends z.ZodType>(
  { value, issues }: z.core.ParsePayload,
  context: z.core.ParseContextInternal,
): z.ZodSafeParseResult<z.output<Schema>> {
  if (issues.length === 0) {
    // What the schema has let through is its output.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { success: true, data: value as z.output<Schema> };
  }
  const finalized = issues.map((issue) =>
    z.core.util.finalizeIssue(issue, context, z.core.config()),
  );
  return { success: false, error: failureOf<z.output<Schema>>(finalized) };
}

function failureOf<Output>(issues: z.core.$ZodIssue[]): z.ZodError<Output> {
  // The class that zod itself throws, of which its types know no more than the name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new z.ZodRealError(issues) as z.ZodError<Output>;
}
