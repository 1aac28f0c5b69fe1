import type { z } from 'zod';
import { type CallIdentity, type ProviderErrorOptions, ValidationError } from '../errors.ts';

/**
 * Checks what a caller sent.
 * @throws {ValidationError} With one issue for each thing to change, worded as the providers word them.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  call: CallIdentity,
  options?: ProviderErrorOptions,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ValidationError(result.error.issues.flatMap(wordsOf), call, options);
}

function wordsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `property ${[...issue.path, key].join('.')} should not exist`);
  }
  return [`${issue.path.join('.')} ${issue.message}`.trim()];
}
