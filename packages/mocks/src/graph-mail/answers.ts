import { opaqueUuid } from '../sample-data/opaque-uuid.ts';
import type { Json, WireResponse } from '../wire/message.ts';
import type { StateChange } from '../wire/provider.ts';
import type { GraphRefusal } from './refusal.ts';
import type { RequestContext } from './request-context.ts';

const JSON_TYPE =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

/** What a request came to: the answer without what all answers have, and what was done. */
export interface Outcome {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly changes?: readonly StateChange[];
}

/** Writes answers with what every answer of Graph carries. */
export function answer(
  context: RequestContext,
  seed: number | string,
  { status, headers = {}, body }: Outcome,
): WireResponse {
  const requestId = requestIdOf(context, seed);
  return {
    status,
    headers: {
      'cache-control': body === undefined ? 'private' : 'no-store',
      date: new Date(context.call.at).toUTCString(),
      'strict-transport-security': 'max-age=31536000',
      'request-id': requestId,
      'client-request-id': clientRequestIdOf(context, requestId),
      'x-ms-ags-diagnostic': DIAGNOSTIC,
      ...(context.appliedPreferences.length > 0 &&
        status < 300 && { 'preference-applied': context.appliedPreferences.join(', ') }),
      ...(body !== undefined && { 'content-type': JSON_TYPE, 'odata-version': '4.0' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  };
}

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: {
    DataCenter: 'Mock',
    Slice: 'E',
    Ring: '1',
    ScaleUnit: '000',
    RoleInstance: 'BUDDY00001',
  },
});

export function refusalAnswer(
  context: RequestContext,
  seed: number | string,
  { status, code, message, headers }: GraphRefusal,
): WireResponse {
  const requestId = requestIdOf(context, seed);
  const innerError = {
    date: new Date(context.call.at).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length),
    'request-id': requestId,
    'client-request-id': clientRequestIdOf(context, requestId),
  };
  const body: Json = { error: { code, message, innerError } };
  return answer(context, seed, { status, headers, body });
}

/** A number as it is answered to `$count`: text, not JSON. */
export function plainNumber(value: number): Outcome {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: value };
}

function requestIdOf({ call, key }: RequestContext, seed: number | string): string {
  return opaqueUuid(seed, 'msgraph', 'request', call.requestId, key);
}

function clientRequestIdOf({ request }: RequestContext, requestId: string): string {
  return request.headers['client-request-id'] ?? requestId;
}
