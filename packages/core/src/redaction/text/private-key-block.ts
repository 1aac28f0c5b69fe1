import { DASH } from './characters.ts';
import type { Span } from './span.ts';

const BEGIN = '-----BEGIN';
const END = '-----END';
const LONGEST_TITLE = 64;
const TITLE = /^[A-Z\d ]{0,64}PRIVATE KEY/;

/**
 * A private key in PEM (RFC 7468) or PGP armour, its first line starting in the word that ends at `wordEnd`. Without an
 * end, it goes on to the end of the text.
 */
export function findPrivateKeyBlock(text: string, wordEnd: number): Span | undefined {
  const start = wordEnd - BEGIN.length;
  if (start < 0 || text.charCodeAt(start) !== DASH || !text.startsWith(BEGIN, start))
    return undefined;
  const titleEnd = text.indexOf('-----', wordEnd);
  const title =
    titleEnd === -1 ? '' : text.slice(wordEnd, Math.min(titleEnd, wordEnd + LONGEST_TITLE));
  if (!TITLE.test(title)) return undefined;
  const endLine = text.indexOf(END, titleEnd);
  const closing = endLine === -1 ? -1 : text.indexOf('-----', endLine + END.length);
  return { label: 'private-key', start, end: closing === -1 ? text.length : closing + 5 };
}
