import type { Json, WireResponse } from '../wire/message.ts';

/** The provider's own words, as observed: each error has its wording here and nowhere else. */

export function ok(body: Json, status = 200): WireResponse {
  return { status, headers: {}, body };
}

function reply(status: number, body: Json): WireResponse {
  return { status, headers: {}, body };
}

export function badRequest(message: string, more: { readonly [key: string]: Json } = {}) {
  return reply(400, { statusCode: 400, message, error: 'Bad Request', ...more });
}

export function unauthorized(message: string): WireResponse {
  return reply(401, { statusCode: 401, message });
}

export function forbidden(message: string): WireResponse {
  return reply(403, { statusCode: 403, message });
}

export function noSuchRoute(method: string, path: string): WireResponse {
  return reply(404, {
    statusCode: 404,
    message: `Cannot ${method} ${path}`,
    error: 'Not Found',
  });
}

export function noSuchContact(contactId: string, status: 400 | 404): WireResponse {
  const message = `Contact with id ${contactId} not found`;
  if (status === 400) return badRequest(message);
  return reply(404, { statusCode: 404, message, error: 'Not Found' });
}

export function unprocessable(complaints: readonly string[]): WireResponse {
  return reply(422, { message: complaints, error: 'Unprocessable Entity', statusCode: 422 });
}

export function missing(complaint: string, status: 400 | 422): WireResponse {
  return status === 422 ? unprocessable([complaint]) : badRequest(complaint);
}

export function duplicate(
  existing: { readonly id: string; readonly name?: string },
  matchingField: 'email' | 'phone',
  traceId: string,
): WireResponse {
  return reply(400, {
    statusCode: 400,
    message: 'This location does not allow duplicated contacts.',
    meta: { contactId: existing.id, contactName: existing.name ?? '', matchingField },
    traceId,
  });
}

/** What a fault puts in place of an answer. */
export function failed(status: number): WireResponse {
  return reply(status, { statusCode: status, message: PHRASES[status] ?? `Error ${status}` });
}

const PHRASES: Readonly<Record<number, string | readonly string[]>> = {
  400: 'Bad Request',
  401: 'Invalid JWT',
  403: 'The token does not have access to this location.',
  404: 'Not Found',
  408: 'Request Timeout',
  409: 'Conflict',
  422: ['Unprocessable Entity'],
  429: 'Too Many Requests',
  500: 'Internal server error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
