import { BuddyError, type BuddyErrorOptions } from '@buddy/core';
import type { z } from 'zod';

export type Provider = 'mployer' | 'gohighlevel' | 'msgraph';

/** Which call of which provider an error is about. */
export interface CallIdentity {
  provider: Provider;
  /** `contacts.create`; each provider's README table lists them. */
  operation: string;
  /** What to name when asking the provider about this call. */
  requestId: string;
}

export interface ProviderErrorOptions extends BuddyErrorOptions {
  /** The HTTP status that was answered; left out when no answer came. */
  status?: number | undefined;
  /** The provider's own word for it, such as `ErrorItemNotFound`. */
  providerCode?: string | undefined;
}

/** A call to a provider that did not do what was asked. Mock and real clients throw the same ones. */
export abstract class ProviderError extends BuddyError {
  abstract override readonly code: `MOCKS_${string}`;
  readonly provider: Provider;
  readonly operation: string;
  readonly requestId: string;
  /** The HTTP status that was answered; undefined when no answer came. */
  readonly status: number | undefined;
  /** The provider's own word for it, such as `ErrorItemNotFound`. */
  readonly providerCode: string | undefined;

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(`${call.provider} ${call.operation}: ${message}`, options);
    this.provider = call.provider;
    this.operation = call.operation;
    this.requestId = call.requestId;
    this.status = options.status;
    this.providerCode = options.providerCode;
  }
}

/** 401: the credentials, the token or the session are not accepted; log in again or renew the token. */
export class ProviderAuthError extends ProviderError {
  readonly code = 'MOCKS_AUTH_FAILED';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { status: 401, ...options });
  }
}

/** 403: known, but not allowed to do this here. */
export class ForbiddenError extends ProviderError {
  readonly code = 'MOCKS_FORBIDDEN';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { status: 403, ...options });
  }
}

/** What the call names does not exist: 404, or GoHighLevel's 400 for the same. */
export class NotFoundError extends ProviderError {
  readonly code = 'MOCKS_NOT_FOUND';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { status: 404, ...options });
  }
}

/** 400 or 422: the provider does not accept the input; each issue names what to change. */
export class ValidationError extends ProviderError {
  readonly code = 'MOCKS_VALIDATION_FAILED';
  readonly issues: readonly string[];

  constructor(issues: readonly string[], call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(issues.join('; '), call, { status: 422, ...options });
    this.issues = issues;
  }
}

/** The thing exists already. GoHighLevel answers 400 here, others 409. */
export class ConflictError extends ProviderError {
  readonly code = 'MOCKS_CONFLICT';
  /** The id of the thing that is in the way, when the provider says it. */
  readonly existingId: string | undefined;
  /** The field in which the two agree, when the provider says it. */
  readonly matchingField: string | undefined;

  constructor(
    message: string,
    call: CallIdentity,
    options: ProviderErrorOptions & { existingId?: string; matchingField?: string } = {},
  ) {
    super(message, call, { status: 409, ...options });
    this.existingId = options.existingId;
    this.matchingField = options.matchingField;
  }
}

/** 429: too many calls; nothing was done. Wait `retryAfterMs`, then call again. */
export class RateLimitError extends ProviderError {
  readonly code = 'MOCKS_RATE_LIMITED';
  declare readonly retryAfterMs: number;

  constructor(retryAfterMs: number, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(`too many requests; retry in ${retryAfterMs} ms`, call, {
      status: 429,
      retryable: true,
      ...options,
      retryAfterMs,
    });
  }
}

/** 408: the provider gave up waiting. A write may have taken effect all the same (`effect`). */
export class ProviderTimeoutError extends ProviderError {
  readonly code = 'MOCKS_TIMEOUT';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { status: 408, retryable: true, ...options });
  }
}

/** 5xx: the provider failed. A write may have taken effect all the same (`effect`). */
export class ProviderUnavailableError extends ProviderError {
  readonly code = 'MOCKS_PROVIDER_UNAVAILABLE';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { status: 503, retryable: true, ...options });
  }
}

/**
 * The provider answered with something else than was agreed: it has changed, or never was as described. A write has most
 * likely taken effect (`effect`). The values themselves are not told, for they may be anybody's data.
 */
export class SchemaDriftError extends ProviderError {
  readonly code = 'MOCKS_SCHEMA_DRIFT';
  /** Where in the answer: `contact.dateAdded`; empty for the answer as a whole. */
  readonly path: string;

  constructor({ issues }: z.ZodError, call: CallIdentity, options: ProviderErrorOptions = {}) {
    const [first] = issues;
    const path = first?.path.join('.') ?? '';
    super(`the answer is not as agreed: ${path || 'all of it'}: ${first?.message}`, call, options);
    this.path = path;
  }
}

/** No answer came, or not all of it. A write may have taken effect (`effect`). */
export class NetworkError extends ProviderError {
  readonly code = 'MOCKS_NETWORK_FAILED';

  constructor(message: string, call: CallIdentity, options: ProviderErrorOptions = {}) {
    super(message, call, { retryable: true, ...options });
  }
}

/** There is no client to hand out for this environment; the message says which variable to set. */
export class NotConfiguredError extends BuddyError {
  readonly code = 'MOCKS_NOT_CONFIGURED';
  readonly variable: string;

  constructor(variable: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.variable = variable;
  }
}

/** An environment variable holds something that is not understood; guessing could reach a real system. */
export class EnvironmentError extends BuddyError {
  readonly code = 'MOCKS_ENVIRONMENT_INVALID';
  readonly variable: string;

  constructor(variable: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.variable = variable;
  }
}
