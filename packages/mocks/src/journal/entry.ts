import { createRedactor } from '@buddy/core';
import type { Provider } from '../errors.ts';
import type { Fault } from '../faults/fault-rule.ts';
import type { StateChange } from '../wire/provider.ts';
import { withoutProofFields, withoutProofs } from './form-secrets.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';

/**
 * One call that a mock has served. Passwords, tokens, cookies and what else a secret is known by are replaced by markers
 * such as `[redacted:token]`. It does not tell what the call came over: one seed gives the same entries over HTTP, `fetch`,
 * MSW and the typed client's own way.
 */
export interface JournalEntry {
  provider: Provider;
  /** `unknown` for a route that the provider does not have. */
  operation: string;
  /** The how many-th call of this operation it was, from 1, in the order in which they began. */
  n: number;
  requestId: string;
  /** What the client named this piece of work, in the header `idempotency-key`. */
  idempotencyKey?: string;
  /** Ms since the epoch, on the mock's clock. */
  startedAt: number;
  endedAt: number;
  /**
   * `refused`: answered with an error; `lost`: the caller got no whole answer; `aborted`: the caller no longer waited;
   * `crashed`: a bug in the mock or its clock.
   */
  outcome: 'answered' | 'refused' | 'lost' | 'aborted' | 'crashed';
  /** Whether the provider did what was asked, whatever the caller was told. */
  isCarriedOut: boolean;
  request: JournaledRequest;
  /** What was answered, even where it did not arrive whole; left out when there was no answer. */
  response?: JournaledResponse;
  /** What befell the call. */
  fault?: Fault;
  /** Whether the fault is that an earlier one had asked to wait longer. */
  isEarlyRetry?: true;
  /** What the call did to the provider's state. */
  changes: readonly StateChange[];
}

export interface JournaledRequest {
  method: string;
  path: string;
  /** Without the question mark; empty when there is none. */
  query: string;
  /** By name in lower case, without those that belong to the connection. */
  headers: Readonly<Record<string, string>>;
  /** A JSON body as data, any other as text; left out when there is none. */
  body?: unknown;
}

export interface JournaledResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** As of the request. */
  body?: unknown;
}

/** A call as it is kept: cheap to write, and made into an entry when somebody looks. */
export interface CallRecord extends Omit<JournalEntry, 'request' | 'response' | 'idempotencyKey'> {
  request: RecordedRequest;
  response?: RecordedMessage & { status: number };
}

interface RecordedRequest extends RecordedMessage {
  method: string;
  origin: string;
  path: string;
  query: string;
}

interface RecordedMessage {
  headers: Readonly<Record<string, string>>;
  text: string | undefined;
}

/** Longer bodies are not kept. */
const LONGEST_BODY = 65_536;

/** Takes from a call what need not be kept, so that long answers do not fill the memory. */
export function withoutLongBodies(record: CallRecord): CallRecord {
  const { request, response } = record;
  return {
    ...record,
    request: shortened(request),
    ...(response && { response: shortened(response) }),
  };
}

function shortened<Message extends RecordedMessage>(message: Message): Message {
  const { text } = message;
  if (text === undefined || text.length <= LONGEST_BODY) return message;
  return { ...message, text: JSON.stringify(`[not kept: ${text.length} characters]`) };
}

/** How much memory a call takes, in characters. */
export function lengthOf({ request, response, changes }: CallRecord): number {
  const ofRequest = request.path.length + request.query.length + lengthOfMessage(request);
  const ofResponse = response === undefined ? 0 : lengthOfMessage(response);
  return ENVELOPE_LENGTH + ofRequest + ofResponse + changes.length * CHANGE_LENGTH;
}

const ENVELOPE_LENGTH = 500;
const CHANGE_LENGTH = 50;

function lengthOfMessage({ headers, text = '' }: RecordedMessage): number {
  let length = text.length;
  for (const [name, value] of Object.entries(headers)) length += name.length + value.length;
  return length;
}

// Ids are what a journal is read for, and the providers' look like keys.
const { redact, redactText } = createRedactor({ genericKeys: false, ipAddresses: false });

/** What may be shown of a call. */
export function entryOf(record: CallRecord): JournalEntry {
  const { request, response, ...rest } = record;
  const { method, path, query, origin } = request;
  const own = (text: string) => text.replaceAll(origin, VENDOR_ORIGINS[record.provider]);
  const idempotencyKey = request.headers['idempotency-key'];
  return Object.freeze({
    ...rest,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    request: {
      method,
      path: redactText(path),
      query: redactText(withoutProofs(own(query))),
      headers: shownHeaders(request.headers, own),
      ...bodyOf(request.text, own, { isRequest: true }),
    },
    ...(response && {
      response: {
        status: response.status,
        headers: shownHeaders(response.headers, own),
        ...bodyOf(response.text, own, { isRequest: false }),
      },
    }),
  });
}

/** Headers that a connection, or whoever speaks HTTP for a caller, adds. */
const OF_THE_CONNECTION = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'connection',
  'content-length',
  'date',
  'host',
  'keep-alive',
  'priority',
  'sec-fetch-mode',
  'transfer-encoding',
  'user-agent',
]);

function shownHeaders(
  headers: Readonly<Record<string, string>>,
  own: (text: string) => string,
): Record<string, string> {
  const shown = Object.entries(headers)
    .filter(([name]) => !OF_THE_CONNECTION.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, own(value)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a redacted record of strings is one
  return redact(Object.fromEntries(shown)) as Record<string, string>;
}

function bodyOf(
  text: string | undefined,
  own: (text: string) => string,
  { isRequest }: { isRequest: boolean },
): { body?: unknown } {
  if (text === undefined) return {};
  const shown = own(text);
  let body: unknown;
  try {
    body = JSON.parse(shown);
  } catch {
    // A form, or nothing that could be read.
    return { body: redactText(isRequest ? withoutProofs(shown) : shown) };
  }
  return { body: redact(isRequest ? withoutProofFields(body) : body) };
}
