import { isBlank, isLower, isTokenCharacter, isUpper, skip } from './characters.ts';
import type { Span } from './span.ts';

const SHORTEST_BEARER = 6;
const SURELY_BEARER = 20;

/** What follows the words `Bearer` and `Basic` (RFC 6750, RFC 7617), when it is a credential and not plain English. */
export function findCredential(text: string, start: number, end: number): Span | undefined {
  const length = end - start;
  if ((length !== 6 && length !== 5) || !isBlank(text, end)) return undefined;
  const scheme = text.slice(start, end).toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'basic') return undefined;
  const tokenStart = skip(text, end, isBlank);
  const tokenEnd = skip(text, tokenStart, isTokenCharacter);
  const token = text.slice(tokenStart, tokenEnd);
  if (scheme === 'basic') {
    return isBasicCredential(token)
      ? { label: 'basic-auth', start: tokenStart, end: tokenEnd }
      : undefined;
  }
  const isToken =
    token.length >= SURELY_BEARER || (token.length >= SHORTEST_BEARER && !isPlainWord(token));
  return isToken ? { label: 'bearer-token', start: tokenStart, end: tokenEnd } : undefined;
}

/** base64 of `user:password`. */
function isBasicCredential(token: string): boolean {
  return token.length >= 4 && Buffer.from(token, 'base64').includes(':');
}

/** Letters only, with no capital but the first. */
function isPlainWord(token: string): boolean {
  for (let at = 0; at < token.length; at += 1) {
    if (!(isLower(token, at) || (at === 0 && isUpper(token, at)))) {
      return at === token.length - 1 && token[at] === '.';
    }
  }
  return true;
}
