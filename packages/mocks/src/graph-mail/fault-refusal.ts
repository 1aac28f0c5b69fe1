import type { Refusal } from '../wire/provider.ts';
import { GraphRefusal } from './refusal.ts';
import { retryAfter } from './throttle.ts';

/** A fault, as Graph would word it. */
export function faultRefusal({ status, retryAfterMs }: Refusal): GraphRefusal {
  const { code, message } = WORDS.get(status) ?? { code: 'UnknownError', message: '' };
  const headers = retryAfterMs === undefined ? {} : retryAfter(retryAfterMs);
  return new GraphRefusal(status, code, message, headers);
}

const WORDS: ReadonlyMap<number, { code: string; message: string }> = new Map([
  [400, { code: 'BadRequest', message: 'The request was not accepted.' }],
  [
    401,
    {
      code: 'InvalidAuthenticationToken',
      message: 'Lifetime validation failed, the token is expired.',
    },
  ],
  [
    403,
    { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' },
  ],
  [
    404,
    {
      code: 'ErrorItemNotFound',
      message: 'The specified object was not found in the store.',
    },
  ],
  [408, { code: 'RequestTimeout', message: 'The request timed out.' }],
  [
    409,
    {
      code: 'ErrorIrresolvableConflict',
      message: 'The request is in conflict with the current state.',
    },
  ],
  [422, { code: 'UnprocessableEntity', message: 'The request could not be processed.' }],
  [
    429,
    {
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
    },
  ],
  [500, { code: 'InternalServerError', message: 'The service failed.' }],
  [502, { code: 'BadGateway', message: 'The service failed.' }],
  [503, { code: 'ServiceUnavailable', message: 'The service is temporarily unavailable.' }],
  [504, { code: 'UnknownError', message: '' }],
]);
