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

const LONGEST_MESSAGE = 4_000;
const ROOM_FOR_OMISSION = 50;

/**
 * Describes anything thrown as plain data. Never throws, whatever the fields of what was thrown are or do.
 *
 * An error that does not say what it left behind is taken for the worst: not retryable, effect `unknown`.
 * The code of a Node system error (`ECONNRESET`) is kept; anything without one is `UNKNOWN`. A message of more than 4 000
 * characters is cut, and says by how much; a `retryAfterMs` that is no finite time of 0 or more is left out.
 */
export function describeFailure(thrown: unknown): FailureDescription {
  if (!isError(thrown)) {
    return {
      name: 'Error',
      message: shorten(describeValue(thrown)),
      code: 'UNKNOWN',
      retryable: false,
      effect: 'unknown',
    };
  }
  // Read by shape, for a second copy of core must be understood too; each field alone, for a getter may throw.
  const name = read(thrown, 'name');
  const code = read(thrown, 'code');
  const retryAfterMs = read(thrown, 'retryAfterMs');
  const description: FailureDescription = {
    name: typeof name === 'string' ? name : 'Error',
    message: shorten(messageOf(thrown)),
    code: typeof code === 'string' ? code : 'UNKNOWN',
    retryable: read(thrown, 'retryable') === true,
    effect: read(thrown, 'effect') === 'none' ? 'none' : 'unknown',
  };
  if (typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0) {
    description.retryAfterMs = retryAfterMs;
  }
  return description;
}

/** An error of another realm (a vm, a compartment) is no `instanceof Error` here. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error || types.isNativeError(thrown);
  } catch {
    return false; // a proxy that is revoked, or whose trap throws
  }
}

const UNREADABLE = Symbol('unreadable');

function read(error: Error, field: keyof BuddyError): unknown {
  try {
    return Reflect.get(error, field);
  } catch {
    return UNREADABLE;
  }
}

function messageOf(error: Error): string {
  const message = read(error, 'message');
  if (message === UNREADABLE) return '(a message that cannot be read)';
  return message === undefined ? '(no message)' : describeValue(message);
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    // inspect, for String() throws on an object without a prototype and says nothing of any other
    return inspect(value, { depth: 1, breakLength: Infinity, customInspect: false });
  } catch {
    return `(${typeof value} that cannot be read)`;
  }
}

function shorten(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  const kept = message
    .slice(0, LONGEST_MESSAGE - ROOM_FOR_OMISSION)
    .replace(/[\uD800-\uDBFF]$/, '');
  return `${kept}… (${message.length - kept.length} characters left out)`;
}
