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

const ErrorBody = z.object({
  error: z.object({ code: z.string().default(''), message: z.string().default('') }),
});

/** For a 429 that does not say how long: the wait that Microsoft's own SDKs begin with. */
const DEFAULT_RETRY_AFTER_MS = 3_000;

/** What Graph calls the call that it answers. */
export function requestIdOf({ headers }: WireResponse): string | undefined {
  return headers['request-id'];
}

/** The error that a client throws for an answer of Graph that is no success. */
export function errorOfAnswer(
  answer: WireResponse,
  call: CallIdentity,
  { isWrite, now }: { isWrite: boolean; now: number },
): ProviderError {
  const { status, headers } = answer;
  const parsed = ErrorBody.safeParse(answer.body);
  const { code, message } = parsed.success ? parsed.data.error : { code: '', message: '' };
  const words = message || code || `status ${status}`;
  const asked = retryAfterMs(headers, now);
  const options = { status, providerCode: code === '' ? undefined : code, retryAfterMs: asked };
  const doubt = isWrite ? 'unknown' : 'none';
  switch (status) {
    case 401:
      return new ProviderAuthError(words, call, options);
    case 403:
      return new ForbiddenError(words, call, options);
    case 404:
      return new NotFoundError(words, call, options);
    case 408:
      return new ProviderTimeoutError(words, call, { ...options, effect: doubt });
    case 409:
    case 412:
      return new ConflictError(words, call, options);
    case 429:
      return new RateLimitError(asked ?? DEFAULT_RETRY_AFTER_MS, call, options);
    case 501:
      return new ProviderUnavailableError(words, call, { ...options, retryable: false });
    default:
      return status >= 500
        ? new ProviderUnavailableError(words, call, { ...options, effect: doubt })
        : new ValidationError([words], call, options);
  }
}
