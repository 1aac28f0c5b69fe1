import { STATUS_CODES } from 'node:http';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';
import type { JournalEntry } from './entry.ts';

/** An HTTP archive, version 1.2: what browsers' developer tools open. Calls without an answer have the status 0. */
export interface Har {
  log: {
    version: '1.2';
    creator: { name: string; version: string };
    entries: HarEntry[];
  };
}

export interface HarEntry {
  /** ISO 8601. */
  startedDateTime: string;
  /** Ms, of the mock's clock. */
  time: number;
  request: HarRequest;
  response: HarResponse;
  cache: Record<string, never>;
  timings: { send: number; wait: number; receive: number };
  /** The operation, its number, and the fault that befell it. */
  comment: string;
}

export interface HarRequest {
  method: string;
  url: string;
  httpVersion: string;
  cookies: never[];
  headers: HarPair[];
  queryString: HarPair[];
  postData?: { mimeType: string; text: string };
  headersSize: -1;
  bodySize: number;
}

export interface HarResponse {
  status: number;
  statusText: string;
  httpVersion: string;
  cookies: never[];
  headers: HarPair[];
  content: { size: number; mimeType: string; text?: string };
  redirectURL: string;
  headersSize: -1;
  bodySize: number;
}

export interface HarPair {
  name: string;
  value: string;
}

const HTTP = 'HTTP/1.1';

export function harOf(entries: readonly JournalEntry[]): Har {
  return {
    log: {
      version: '1.2',
      creator: { name: '@buddy/mocks', version: '1' },
      entries: entries.map((entry) => harEntryOf(entry)),
    },
  };
}

function harEntryOf(entry: JournalEntry): HarEntry {
  const time = entry.endedAt - entry.startedAt;
  const fault = entry.fault === undefined ? '' : `, ${JSON.stringify(entry.fault)}`;
  return {
    startedDateTime: new Date(entry.startedAt).toISOString(),
    time,
    request: requestOf(entry),
    response: responseOf(entry),
    cache: {},
    timings: { send: 0, wait: time, receive: 0 },
    comment: `${entry.operation} #${entry.n}: ${entry.outcome}${fault}`,
  };
}

function requestOf({ provider, request }: JournalEntry): HarRequest {
  const { method, path, query, headers } = request;
  const text = textOf(request.body);
  return {
    method,
    url: `${VENDOR_ORIGINS[provider]}${path}${query === '' ? '' : `?${query}`}`,
    httpVersion: HTTP,
    cookies: [],
    headers: pairs(Object.entries(headers)),
    queryString: pairs([...new URLSearchParams(query)]),
    ...(text !== undefined && {
      postData: { mimeType: headers['content-type'] ?? 'application/json', text },
    }),
    headersSize: -1,
    bodySize: Buffer.byteLength(text ?? ''),
  };
}

function responseOf({ response }: JournalEntry): HarResponse {
  const status = response?.status ?? 0;
  const headers = response?.headers ?? {};
  const text = textOf(response?.body);
  const size = Buffer.byteLength(text ?? '');
  return {
    status,
    statusText: STATUS_CODES[status] ?? '',
    httpVersion: HTTP,
    cookies: [],
    headers: pairs(Object.entries(headers)),
    content: {
      size,
      mimeType: headers['content-type'] ?? 'x-unknown',
      ...(text !== undefined && { text }),
    },
    redirectURL: '',
    headersSize: -1,
    bodySize: size,
  };
}

function pairs(entries: readonly (readonly [string, string])[]): HarPair[] {
  return entries.map(([name, value]) => ({ name, value }));
}

function textOf(body: unknown): string | undefined {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
