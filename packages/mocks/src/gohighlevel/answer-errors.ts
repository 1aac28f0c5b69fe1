import { z } from 'zod';
import { retryAfterMs } from '../client/retry-after.ts';
import {
  type CallIdentity,
  ConflictError,
  ForbiddenError,
  NotFoundError,
  ProviderAuthError,
  type ProviderError,
  ProviderTimeoutError,
  ProviderUnavailableError,
  RateLimitError,
  ValidationError,
} from '../errors.ts';
import type { WireResponse } from '../wire/message.ts';
import { BURST_WINDOW_MS } from './rate-limits.ts';

const DAY_MS = 86_400_000;

const ErrorBody = z.looseObject({
  message: z.union([z.string(), z.array(z.string())]).optional(),
  meta: z.looseObject({ contactId: z.string(), matchingField: z.string().optional() }).optional(),
});

const NO_SUCH_CONTACT = /^Contact with id .* not found$/i;

/** What an answer that is no success means. */
export function errorOf(answer: WireResponse, call: CallIdentity, isWrite: boolean): ProviderError {
  const { status, headers } = answer;
  const body = ErrorBody.safeParse(answer.body).data ?? {};
  const issues = [body.message ?? `status ${status}`].flat();
  const message = issues.join('; ');
  const effect = isWrite ? 'unknown' : 'none';
  switch (status) {
    case 400:
      if (NO_SUCH_CONTACT.test(message)) return new NotFoundError(message, call, { status });
      if (body.meta) return conflict(message, call, status, body.meta);
      return new ValidationError(issues, call, { status });
    case 401:
      return new ProviderAuthError(message, call);
    case 403:
      return new ForbiddenError(message, call);
    case 404:
      return new NotFoundError(message, call);
    case 408:
      return new ProviderTimeoutError(message, call, { effect });
    case 409:
      return conflict(message, call, status, body.meta);
    case 429:
      return rateLimit(headers, call);
    case 422:
      // Contacts were created whose creation was refused for a field that should not exist (the vendor's issue 64).
      return new ValidationError(issues, call, { effect: isCreation(call) ? 'unknown' : 'none' });
    default:
      if (status >= 400 && status < 500) return new ValidationError(issues, call, { status });
      // A redirect is as unexpected as a failure, and repeating it is as useless as it is harmless.
      return new ProviderUnavailableError(message, call, {
        status,
        effect,
        retryable: status >= 500,
        retryAfterMs: retryAfterMs(headers, Date.parse(headers['date'] ?? '')),
      });
  }
}

function isCreation({ operation }: CallIdentity): boolean {
  return operation === 'contacts.create' || operation === 'contacts.upsert';
}

function conflict(
  message: string,
  call: CallIdentity,
  status: number,
  meta: { contactId: string; matchingField?: string | undefined } | undefined,
): ConflictError {
  const { contactId, matchingField } = meta ?? {};
  return new ConflictError(message, call, {
    status,
    ...(contactId !== undefined && { existingId: contactId }),
    ...(matchingField !== undefined && { matchingField }),
  });
}

/** The provider sends no Retry-After: a window has this length, and when the day's calls are used up no window helps. */
function rateLimit(headers: WireResponse['headers'], call: CallIdentity): RateLimitError {
  if (numberIn(headers, 'x-ratelimit-daily-remaining') === 0) {
    const untilResetMs = numberIn(headers, 'x-ratelimit-daily-reset') ?? DAY_MS;
    return new RateLimitError(untilResetMs, call, { retryable: false });
  }
  const windowMs = numberIn(headers, 'x-ratelimit-interval-milliseconds');
  return new RateLimitError(windowMs ?? BURST_WINDOW_MS, call);
}

function numberIn(headers: WireResponse['headers'], name: string): number | undefined {
  const value = headers[name];
  const number = value === undefined || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** What the provider calls this call. */
export function requestIdOf({ headers, body }: WireResponse): string | undefined {
  const traced = z.looseObject({ traceId: z.string() }).safeParse(body).data;
  return headers['x-request-id'] ?? traced?.traceId;
}
