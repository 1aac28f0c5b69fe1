import { isAlphanumeric, isDigit, isUpper, skip } from './characters.ts';
import type { Span } from './span.ts';

const SHORTEST_GENERIC_KEY = 24;

/**
 * A stretch of letters and digits that nobody typed: long, of both cases and digits, and changing between them at every
 * third place or more. Of random base62 strings 62 % of the places do, of camelCase names about 20 %. Hexadecimal digests,
 * UUIDs and ULIDs keep to one case, and are left alone.
 */
export function findGenericKey(text: string, start: number, end: number): Span | undefined {
  for (let at = start; end - at >= SHORTEST_GENERIC_KEY; at += 1) {
    const runEnd = skip(text, at, isAlphanumeric);
    if (runEnd - at >= SHORTEST_GENERIC_KEY && looksRandom(text, at, runEnd)) {
      return { label: 'api-key', start, end };
    }
    at = runEnd;
  }
  return undefined;
}

function looksRandom(text: string, start: number, end: number): boolean {
  let digits = 0;
  let uppers = 0;
  let changes = 0;
  let before = -1;
  for (let at = start; at < end; at += 1) {
    const kind = isDigit(text, at) ? 0 : isUpper(text, at) ? 1 : 2;
    if (kind === 0) digits += 1;
    if (kind === 1) uppers += 1;
    if (kind !== before) changes += 1;
    before = kind;
  }
  const length = end - start;
  return digits > 0 && uppers > 0 && digits + uppers < length && changes * 3 >= length;
}
