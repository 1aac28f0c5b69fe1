import type { Json, WireResponse } from '../wire/message.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';

/** The wording of errors, which is ours: Mployer has no public API. */

const CODES: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['BAD_REQUEST', 'The request was not understood'],
  401: ['SESSION_EXPIRED', 'No session, or it has expired; log in first'],
  403: ['FORBIDDEN', 'This account may not do that'],
  404: ['NOT_FOUND', 'There is nothing here'],
  408: ['TIMEOUT', 'The request timed out'],
  409: ['CONFLICT', 'In conflict with what is there'],
  422: ['VALIDATION_FAILED', 'The request was not accepted'],
  429: ['RATE_LIMITED', 'Too many requests'],
  500: ['INTERNAL', 'The service failed'],
  502: ['BAD_GATEWAY', 'The service could not be reached'],
  503: ['UNAVAILABLE', 'The service is not available'],
  504: ['GATEWAY_TIMEOUT', 'The service did not answer in time'],
};

export function failed(status: number, requestId: string): WireResponse {
  const [code, message] = CODES[status] ?? ['ERROR', `Error ${status}`];
  return errorReply(status, code, message, requestId);
}

export function errorReply(
  status: number,
  code: string,
  message: string,
  requestId: string,
  more: { readonly [key: string]: Json } = {},
): WireResponse {
  return { status, headers: {}, body: { error: { code, message, requestId, ...more } } };
}

export function refusal(
  status: number,
  code: string,
  message: string,
  requestId: string,
): RequestRefusedError {
  return new RequestRefusedError(errorReply(status, code, message, requestId));
}

export function invalid(issues: readonly string[], requestId: string): RequestRefusedError {
  return new RequestRefusedError(
    errorReply(422, 'VALIDATION_FAILED', issues.join('; '), requestId, { issues }),
  );
}
