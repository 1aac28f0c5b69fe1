import type { Clock, Random } from '@buddy/core';
import type { z } from 'zod';
import {
  type CallIdentity,
  NetworkError,
  type Provider,
  ProviderError,
  SchemaDriftError,
} from '../errors.ts';
import type { CallOptions } from '../exchange/call-options.ts';
import { ConnectionLostError } from '../wire/connection-lost-error.ts';
import type { WireBody, WireRequest, WireResponse } from '../wire/message.ts';
import type { Transport } from '../wire/transport.ts';
import type { ConcurrencyGate } from './concurrency-gate.ts';
import { type Credentials, NO_CREDENTIALS } from './credentials.ts';
import { type Retries, tryRepeatedly } from './retry.ts';
import { waitFor } from './wait-for.ts';
import { redactSecrets, withoutSecrets } from './without-secrets.ts';

/** One operation of a provider's, and what to ask of it. */
export interface CallSpec<Answer extends z.ZodType> {
  /** As the mock names it: `contacts.create`. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL, with a leading slash, percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly form?: URLSearchParams;
  /** Whether it changes anything at the provider: then a lost answer leaves its effect unknown. */
  readonly isWrite: boolean;
  /** Whether a second time changes nothing more than the first; what does not write is. */
  readonly isRepeatable?: boolean;
  /** What a good answer's body must look like; it is what the call resolves with. */
  readonly answer: Answer;
  /**
   * What a repeat resolves with when it is refused because the first time, whose answer was lost, was carried out: the
   * contact to delete is not there any more. Undefined when that is not why.
   */
  readonly settledBy?: (error: ProviderError) => z.output<Answer> | undefined;
  /** Done without a token, as getting one is. */
  readonly isAnonymous?: boolean;
}

export interface WireCaller {
  /** @throws {ProviderError} */
  call<Answer extends z.ZodType>(
    spec: CallSpec<Answer>,
    options?: CallOptions,
  ): Promise<z.output<Answer>>;
}

/** What a client knows of its provider, and what it is told by whoever makes it. */
export interface WireCallerParts {
  readonly provider: Provider;
  readonly transport: Transport;
  /** `https://services.leadconnectorhq.com`; a path in it comes before each call's. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly retries: Retries;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials?: Credentials;
  readonly gate?: ConcurrencyGate;
  /** How long one try may take; for ever when left out. */
  readonly timeoutMs?: number;
  /** What must appear in no error, beside what the credentials hold. */
  readonly secrets?: () => readonly string[];
  /** Reads an answer that is no success. Nothing in it is secret any more. */
  readonly errorOf: (answer: WireResponse, call: CallIdentity, isWrite: boolean) => ProviderError;
  /** What the provider calls this call. */
  readonly requestIdOf: (answer: WireResponse) => string | undefined;
}

const NO_QUERY = new URLSearchParams();
const UNKNOWN_REQUEST_ID = 'unknown';

/**
 * The way of every client's call to its provider and back, over whatever transport: who calls, how many at once, how often,
 * and whether what comes back is what was agreed.
 */
export function createWireCaller(parts: WireCallerParts): WireCaller {
  const { provider, transport, clock, random, retries, gate, timeoutMs } = parts;
  const { credentials = NO_CREDENTIALS, errorOf, requestIdOf } = parts;
  const { origin, pathname } = new URL(parts.baseUrl);
  const basePath = pathname.replace(/\/$/, '');
  const secretsNow = () => [...credentials.secrets(), ...(parts.secrets?.() ?? [])];

  const requestOf = (
    spec: CallSpec<z.ZodType>,
    token: string | undefined,
    idempotencyKey: string | undefined,
  ): WireRequest => ({
    method: spec.method,
    origin,
    path: basePath + spec.path,
    query: spec.query ? queryOf(spec.query) : NO_QUERY,
    headers: {
      accept: 'application/json',
      ...parts.headers,
      ...spec.headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: bodyOf(spec),
  });

  const send = async (
    spec: CallSpec<z.ZodType>,
    request: WireRequest,
    signal: AbortSignal | undefined,
  ): Promise<WireResponse> => {
    try {
      if (timeoutMs === undefined)
        return await waitFor(transport.send(request, { signal }), signal);
      return await withinTime(timeoutMs, clock, signal, (limited) =>
        transport.send(request, { signal: limited }),
      );
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      const call = { provider, operation: spec.operation, requestId: UNKNOWN_REQUEST_ID };
      throw new NetworkError(redactSecrets(error.message, secretsNow()), call, {
        effect: spec.isWrite && error.mayHaveArrived ? 'unknown' : 'none',
      });
    }
  };

  /** Sends, and once more with a new token when the first one is refused: then nothing was done yet. */
  const sendAsCaller = async (
    spec: CallSpec<z.ZodType>,
    { signal, idempotencyKey }: CallOptions,
  ): Promise<WireResponse> => {
    if (spec.isAnonymous) return send(spec, requestOf(spec, undefined, idempotencyKey), signal);
    const held = credentials.token(signal);
    // Without a pause where none is needed: who aborts right after calling finds the call under way.
    const token = held instanceof Promise ? await held : held;
    const answer = await send(spec, requestOf(spec, token, idempotencyKey), signal);
    if (answer.status !== 401 || !(await credentials.renew?.(token, signal))) return answer;
    const renewed = await credentials.token(signal);
    return send(spec, requestOf(spec, renewed, idempotencyKey), signal);
  };

  const attempt = async <Answer extends z.ZodType>(
    spec: CallSpec<Answer>,
    options: CallOptions,
  ): Promise<z.output<Answer>> => {
    const answer = await sendAsCaller(spec, options);
    if (answer.status < 200 || answer.status > 299) {
      const safe = withoutSecrets(answer, secretsNow());
      const requestId = requestIdOf(safe) ?? UNKNOWN_REQUEST_ID;
      throw errorOf(safe, { provider, operation: spec.operation, requestId }, spec.isWrite);
    }
    const parsed = spec.answer.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    // Read again, for even the names in an answer may repeat what was sent.
    const safe = withoutSecrets(answer, secretsNow());
    const requestId = requestIdOf(safe) ?? UNKNOWN_REQUEST_ID;
    throw new SchemaDriftError(
      spec.answer.safeParse(safe.body).error ?? parsed.error,
      { provider, operation: spec.operation, requestId },
      { status: answer.status, effect: spec.isWrite ? 'unknown' : 'none' },
    );
  };

  return {
    call: async (spec, options = {}) => {
      const { signal } = options;
      signal?.throwIfAborted();
      const isRepeatable = spec.isRepeatable ?? !spec.isWrite;
      let isInDoubt = false;
      const once = async () => {
        try {
          return await attempt(spec, options);
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
          const settled = isInDoubt ? spec.settledBy?.(error) : undefined;
          if (settled !== undefined) return settled;
          isInDoubt ||= error.effect === 'unknown';
          throw error;
        }
      };
      return tryRepeatedly(
        () => (gate ? gate.pass(once, signal) : once()),
        retries,
        { isRepeatable, signal },
        { clock, random },
      );
    },
  };
}

function queryOf(query: Readonly<Record<string, string | number | undefined>>): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  return params;
}

function bodyOf({ json, form }: CallSpec<z.ZodType>): WireBody {
  if (form) return { kind: 'form', fields: form };
  return json === undefined ? { kind: 'none' } : { kind: 'json', value: json };
}

/** Gives up on work that takes too long, as if the connection had been lost: so it may have been done. */
async function withinTime<T>(
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const over = new AbortController(); // stops the watch
  const watch = clock.sleep(timeoutMs, over.signal).then(
    () => late.abort(new ConnectionLostError(`No answer within ${timeoutMs} ms`, true)),
    () => undefined, // over in time
  );
  try {
    const limited = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
    // Work that does not heed its signal is left to itself.
    return await waitFor(work(limited), limited);
  } finally {
    over.abort();
    await watch;
  }
}
