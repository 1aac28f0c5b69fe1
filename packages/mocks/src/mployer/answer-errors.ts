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

const DEFAULT_RETRY_AFTER_MS = 5_000;

const ErrorBody = z.looseObject({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    requestId: z.string().optional(),
    issues: z.array(z.string()).optional(),
  }),
});

/** What an answer that is no success means. Nothing that this client does writes, so its effect is never in doubt. */
export function errorReader(now: () => number) {
  return (answer: WireResponse, call: CallIdentity): ProviderError => {
    const { status, headers } = answer;
    const told = ErrorBody.safeParse(answer.body).data?.error;
    const message = told?.message ?? `status ${status}`;
    const waitMs = retryAfterMs(headers, now());
    const options = { status, providerCode: told?.code };
    switch (status) {
      case 401:
        return new ProviderAuthError(message, call, options);
      case 403:
        return new ForbiddenError(message, call, options);
      case 404:
        return new NotFoundError(message, call, options);
      case 408:
        return new ProviderTimeoutError(message, call, options);
      case 409:
        return new ConflictError(message, call, options);
      case 429:
        return new RateLimitError(waitMs ?? DEFAULT_RETRY_AFTER_MS, call, options);
      default:
        if (status >= 400 && status < 500) {
          return new ValidationError(told?.issues ?? [message], call, options);
        }
        return new ProviderUnavailableError(message, call, {
          ...options,
          retryable: status >= 500,
          retryAfterMs: waitMs,
        });
    }
  };
}

export function requestIdOf({ headers, body }: WireResponse): string | undefined {
  return ErrorBody.safeParse(body).data?.error.requestId ?? headers['x-request-id'];
}
