import type { FailureDescription } from '@buddy/core';

/** The call was begun by a process that never told of it again, and must not be made twice. */
export const LOST: FailureDescription = {
  name: 'InterruptedError',
  message: 'The process ended while the call was under way; it may have happened',
  code: 'AGENTS_INTERRUPTED',
  retryable: true,
  effect: 'unknown',
};

export const NOT_JSON: FailureDescription = {
  name: 'NotJsonError',
  message: 'The tool returned what JSON cannot hold; it was carried out',
  code: 'AGENTS_OUTPUT_NOT_JSON',
  retryable: false,
  effect: 'unknown',
};

/** @param reason Says where in the answer. */
export function notJson(reason: string): FailureDescription {
  return { ...NOT_JSON, message: `${reason}; it was carried out` };
}

export function poisonous(tries: number): FailureDescription {
  return {
    name: 'PoisonError',
    message: `The process ended ${tries} times while this call was under way; it is not made again`,
    code: 'AGENTS_POISON_TASK',
    retryable: false,
    effect: 'unknown',
  };
}
