import type { Clock } from '@buddy/core';
import { writeBody } from '../wire/body.ts';
import { ConnectionLostError } from '../wire/connection-lost-error.ts';
import type { Json, WireBody, WireRequest, WireResponse } from '../wire/message.ts';
import type { Transport } from '../wire/transport.ts';

export type Fetch = (request: Request) => Promise<Response>;

/** Node's and undici's codes for a connection that never came about: nothing can have reached the other side. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Sends over `fetch`. Redirects are not followed: a token must not go where it was not meant to.
 *
 * The default `fetch` takes real time, which `clock` is told; one that is handed in is called as it is, for it may itself
 * wait on that clock, as a mock's does.
 */
export function createFetchTransport({ fetch, clock }: { fetch?: Fetch; clock: Clock }): Transport {
  return {
    send: (request, { signal } = {}) => {
      const given = fetch;
      if (given) return exchange(given, request, signal);
      return clock.external(() => exchange(globalThis.fetch, request, signal));
    },
  };
}

async function exchange(
  fetch: Fetch,
  request: WireRequest,
  signal: AbortSignal | undefined,
): Promise<WireResponse> {
  try {
    const response = await fetch(toFetchRequest(request, signal));
    const text = await response.text();
    const headers = Object.fromEntries(response.headers);
    if (text === '') return { status: response.status, headers };
    return { status: response.status, headers, body: readBody(text, response) };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ConnectionLostError) throw error;
    const code = codeOf(error);
    // Its cause is left out: what a fetch throws may hold the request, and that holds the token.
    throw new ConnectionLostError(`No whole answer came (${code})`, !NEVER_CONNECTED.has(code));
  }
}

function toFetchRequest(request: WireRequest, signal: AbortSignal | undefined): Request {
  const { method, origin, path, query, headers } = request;
  const search = query.size > 0 ? `?${query.toString()}` : '';
  const contentType = contentTypeOf(request.body);
  const text = writeBody(request.body);
  return new Request(`${origin}${path}${search}`, {
    method,
    headers: { ...headers, ...(contentType !== undefined && { 'content-type': contentType }) },
    redirect: 'manual',
    ...(text !== undefined && { body: text }),
    ...(signal && { signal }),
  });
}

function contentTypeOf(body: WireBody): string | undefined {
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'json':
      return 'application/json';
    case 'form':
      return 'application/x-www-form-urlencoded';
    case 'unreadable':
      return body.contentType;
  }
}

/** What an answer of 2xx holds must be JSON; of an error's page, as a gateway sends, the text will do. */
function readBody(text: string, { status, ok }: Response): Json {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse gives nothing else
    return JSON.parse(text) as Json;
  } catch {
    if (!ok) return text;
    throw new ConnectionLostError(`The answer (${status}) is no JSON, or not all of it`, true);
  }
}

/** Of undici's `TypeError: fetch failed` the cause tells what it was. */
function codeOf(error: unknown): string {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if (one instanceof AggregateError && one.errors.length > 0) return codeOf(one.errors[0]);
    if ('code' in one && typeof one.code === 'string') return one.code;
  }
  return error instanceof Error ? error.name : 'UNKNOWN';
}
