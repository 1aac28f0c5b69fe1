/** A value as JSON carries it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What a request carries, already read: whoever reads the bytes says here what became of them. */
export type WireBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly fields: URLSearchParams }
  /** Bytes that are not what their content type says, or of a type that nobody reads. */
  | { readonly kind: 'unreadable'; readonly contentType: string; readonly text: string };

/** A request, whatever it came over: a socket, `fetch`, MSW, or a call of the typed client. */
export interface WireRequest {
  /** In capitals. */
  readonly method: string;
  /** Scheme and authority as the caller knows them, for absolute links: `https://localhost:4010`. */
  readonly origin: string;
  /** As sent: percent-encoded, with a leading slash, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WireBody;
}

/** An answer. Without `body` there is no content type either, as when Graph accepts a mail. */
export interface WireResponse {
  readonly status: number;
  /** By name in lower case; the content type comes with the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
}
