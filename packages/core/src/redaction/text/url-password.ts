import { isDigit, isQuote, isSpace, skip } from './characters.ts';
import { endOfMarker, type Span } from './span.ts';

/** How far behind a `/` to look for the `@`; bounds the work that a text full of `://` can cause. */
const LONGEST_REST = 256;

/**
 * The password of `scheme://user:password@host`, given where the authority starts. A password with a `/` in it, which a
 * URL may not have but people write, is found as well, unless it could be a port and a path.
 */
export function findUrlPassword(text: string, authorityStart: number): Span | undefined {
  let limit = text.length;
  let isPastAuthority = false;
  let colon = -1;
  let lastAt = -1;
  for (let at = authorityStart; at < limit; at += 1) {
    const character = text.charAt(at);
    if (isSpace(text, at) || isQuote(text, at) || character === '<' || character === '>') break;
    if (character === '[') at = Math.max(at, endOfMarker(text, at) - 1);
    if (character === ':' && colon === -1) colon = at;
    if (character === '@') lastAt = at;
    if (isPastAuthority && character === '@') break;
    if (!isPastAuthority && '/?#'.includes(character)) {
      if (colon === -1 || lastAt !== -1 || isPort(text, colon + 1, at)) break;
      isPastAuthority = true;
      limit = Math.min(limit, at + LONGEST_REST);
    }
  }
  if (colon === -1 || lastAt <= colon + 1) return undefined;
  return { label: 'password', start: colon + 1, end: lastAt };
}

function isPort(text: string, start: number, end: number): boolean {
  return skip(text, start, isDigit) >= end;
}
