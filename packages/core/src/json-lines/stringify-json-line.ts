import { BuddyError } from '../errors.ts';

/** A value has no form in JSON: it refers to itself, holds a bigint, or is a function. */
export class NotSerializableError extends BuddyError {
  readonly code = 'CORE_NOT_SERIALIZABLE';
}

/**
 * One record as one line, with its newline. As `JSON.stringify` does, it leaves out fields that are `undefined` and writes
 * `NaN` and the infinities as `null`.
 * @throws {NotSerializableError} When the record has no form in JSON.
 * @example
 * stringifyJsonLine({ task_id: 'task_3', wave: 1 }); // '{"task_id":"task_3","wave":1}\n'
 */
export function stringifyJsonLine(record: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(record);
  } catch (error) {
    const reason = error instanceof Error ? firstLine(error.message) : String(error);
    throw new NotSerializableError(`A record cannot be written as JSON: ${reason}`, {
      cause: error,
    });
  }
  if (text === undefined) {
    throw new NotSerializableError(`A record cannot be written as JSON: it is a ${typeof record}`);
  }
  return `${text}\n`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
