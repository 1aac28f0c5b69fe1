import { inspect, types } from 'node:util';

/**
 * What a failed call left behind, as far as the caller can know:
 * `none` - it surely did not happen, `unknown` - it may have (a lost answer, a timeout).
 */
export type FailureEffect = 'none' | 'unknown';

export interface BuddyErrorOptions extends ErrorOptions {
  /** Whether the same call may succeed later, unchanged. Default false. */
  retryable?: boolean;
  /** How long the other side asked to be left alone, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Default `none`. Say `unknown` whenever the call may have taken effect. */
  effect?: FailureEffect;
}

/**
 * The base of every error that Buddy throws on purpose.
 *
 * Branch on `code`, never on `instanceof` or the message: codes are never renamed, and two copies of a package have two
 * copies of each class.
 * @example
 * class QuotaExceededError extends BuddyError {
 *   readonly code = 'CRM_QUOTA_EXCEEDED';
 * }
 * throw new QuotaExceededError('The daily quota is used up; try again tomorrow.', { retryable: true, retryAfterMs: 3_600_000 });
 */
export abstract class BuddyError extends Error {
  abstract readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly effect: FailureEffect;

  constructor(message: string, options: BuddyErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.effect = options.effect ?? 'none';
  }
}

/** What can be said of anything thrown, whoever threw it. Plain data: it can be stored and sent. */
export interface FailureDescription {
  name: string;
  message: string;
  code: string;
  retryable: boolean;
  retryAfterMs?: number;
  effect: FailureEffect;
}

/**
 * Describes anything thrown as plain data.
 *
 * An error that does not say what it left behind is taken for the worst: not retryable, effect `unknown`.
 * The code of a Node system error (`ECONNRESET`) is kept; anything without one is `UNKNOWN`.
 */
export function describeFailure(thrown: unknown): FailureDescription {
  if (!isError(thrown)) {
    return {
      name: 'Error',
      message: describeValue(thrown),
      code: 'UNKNOWN',
      retryable: false,
      effect: 'unknown',
    };
  }
  const said = thrown as Partial<BuddyError>; // read by shape: a second copy of core must be understood too
  const description: FailureDescription = {
    name: thrown.name,
    message: thrown.message,
    code: typeof said.code === 'string' ? said.code : 'UNKNOWN',
    retryable: said.retryable === true,
    effect: said.effect === 'none' ? 'none' : 'unknown',
  };
  if (typeof said.retryAfterMs === 'number') description.retryAfterMs = said.retryAfterMs;
  return description;
}

/** An error of another realm (a vm, a compartment) is no `instanceof Error` here. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

function describeValue(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  // inspect, for String() throws on an object without a prototype and says nothing of any other
  return inspect(thrown, { depth: 1, breakLength: Infinity, customInspect: false });
}
