import { z } from 'zod';
import { BuddyError } from './errors.ts';

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
 */
export function safeParseEither<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> | Promise<z.ZodSafeParseResult<z.output<Schema>>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (error instanceof z.core.$ZodAsyncError) return schema.safeParseAsync(value);
    throw error;
  }
}
