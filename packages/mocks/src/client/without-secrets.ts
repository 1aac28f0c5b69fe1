import type { Json, WireResponse } from '../wire/message.ts';
import { spellingsOf } from './secret-spellings.ts';

const REDACTED = '[redacted]';

/** The answer with what must not be told taken out: a provider may repeat in an error what it was sent. */
export function withoutSecrets(response: WireResponse, secrets: readonly string[]): WireResponse {
  const clean = redactorOf(secrets);
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, clean(value)]),
  );
  if (response.body === undefined) return { status: response.status, headers };
  return { status: response.status, headers, body: cleanJson(response.body, clean) };
}

export function redactSecrets(text: string, secrets: readonly string[]): string {
  return redactorOf(secrets)(text);
}

function redactorOf(secrets: readonly string[]): (text: string) => string {
  const spellings = spellingsOf(secrets);
  return (text) => (spellings ? text.replaceAll(spellings, REDACTED) : text);
}

function cleanJson(value: Json, clean: (text: string) => string): Json {
  if (typeof value === 'string') return clean(value);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => cleanJson(item, clean));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), cleanJson(item, clean)]),
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
