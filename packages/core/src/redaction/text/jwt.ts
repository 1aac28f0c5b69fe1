import { DOT, isAlphanumeric, isWordOrDot, skip } from './characters.ts';
import type { Span } from './span.ts';

const SHORTEST_JWT_HEADER = 10;
const SHORTEST_JWT_PAYLOAD = 4;

/** A JSON Web Token (RFC 7519), also one that was cut off: `{"` in base64url is `eyJ`. */
export function findJwt(text: string, start: number, end: number): Span | undefined {
  if (text.charCodeAt(end) !== DOT) return undefined;
  const tokenStart = text.startsWith('eyJ', start) ? start : jwtAfterJoiner(text, start, end);
  if (tokenStart === -1 || end - tokenStart < SHORTEST_JWT_HEADER) return undefined;
  const tokenEnd = skip(text, end, isWordOrDot);
  if (tokenEnd - end <= SHORTEST_JWT_PAYLOAD) return undefined;
  const isSentenceEnd = text[tokenEnd - 1] === '.';
  return { label: 'jwt', start, end: isSentenceEnd ? tokenEnd - 1 : tokenEnd };
}

function jwtAfterJoiner(text: string, start: number, end: number): number {
  for (let at = start + 1; end - at >= SHORTEST_JWT_HEADER; at += 1) {
    if (!isAlphanumeric(text, at - 1) && text.startsWith('eyJ', at)) return at;
  }
  return -1;
}
