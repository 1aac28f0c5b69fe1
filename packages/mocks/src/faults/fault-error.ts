import type { FailureEffect } from '@buddy/core';
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
import type { FaultRule as AnyFaultRule } from './fault-rule.ts';

type FaultRule = Extract<AnyFaultRule, { kind: 'status' }>;

const DEFAULT_RETRY_AFTER_MS = 1_000;

/** Whether the caller cannot tell, from the answer, if the call was carried out. */
export function leavesDoubt({ status }: FaultRule): boolean {
  return status === 408 || status >= 500;
}

/** The error that a client throws when the provider answers as the fault says. */
export function faultError(fault: FaultRule, call: CallIdentity, isWrite: boolean): ProviderError {
  const effect = isWrite && leavesDoubt(fault) ? 'unknown' : 'none';
  return ERROR_OF[fault.status](fault, call, effect);
}

type ErrorMaker = (fault: FaultRule, call: CallIdentity, effect: FailureEffect) => ProviderError;

const invalid: ErrorMaker = ({ status }, call) =>
  new ValidationError(['the request was not accepted'], call, { status });

const unavailable: ErrorMaker = ({ status }, call, effect) =>
  new ProviderUnavailableError('the service failed', call, { status, effect });

const ERROR_OF: Readonly<Record<FaultRule['status'], ErrorMaker>> = {
  400: invalid,
  401: (_fault, call) => new ProviderAuthError('the credentials were not accepted', call),
  403: (_fault, call) => new ForbiddenError('access is denied', call),
  404: (_fault, call) => new NotFoundError('not found', call),
  408: (_fault, call, effect) =>
    new ProviderTimeoutError('the request timed out', call, { effect }),
  409: (_fault, call) => new ConflictError('in conflict with what is there', call),
  422: invalid,
  429: ({ retryAfterMs = DEFAULT_RETRY_AFTER_MS }, call) => new RateLimitError(retryAfterMs, call),
  500: unavailable,
  502: unavailable,
  503: unavailable,
  504: unavailable,
};
