import { isQuote, isSpace, PERCENT } from './characters.ts';
import type { Span } from './span.ts';

const ENCODED_QUOTES = new Set(['%22', '%27']);
const ENCODED_SIGNS = new Set(['%3d', '%3a']);
/** An `&`, a line feed, and what may follow a value in JSON; a comma may as well be part of one. */
const ENCODED_ENDS = new Set(['%26', '%0a', '%0d', '%7d', '%5d']);
const LENGTH = 3;

/**
 * The value that is given to the word that ends at `wordEnd` in a text that was encoded for a URL: `password%3Dhunter2`,
 * `%22password%22%3A%22hunter2%22`.
 */
export function findEncodedValue(text: string, wordEnd: number, label: string): Span | undefined {
  if (text.charCodeAt(wordEnd) !== PERCENT) return undefined;
  const isQuotedName = ENCODED_QUOTES.has(escapeAt(text, wordEnd));
  const sign = isQuotedName ? wordEnd + LENGTH : wordEnd;
  if (!ENCODED_SIGNS.has(escapeAt(text, sign))) return undefined;
  let start = sign + LENGTH;
  while (text[start] === '+' || escapeAt(text, start) === '%20') {
    start += text[start] === '+' ? 1 : LENGTH;
  }
  const quote = escapeAt(text, start);
  const isQuoted = ENCODED_QUOTES.has(quote);
  if (isQuoted) start += LENGTH;
  let end = start;
  while (end < text.length && !isEnd(text, end, isQuoted ? quote : undefined)) end += 1;
  return end > start ? { label, start, end } : undefined;
}

function isEnd(text: string, at: number, quote: string | undefined): boolean {
  if (isSpace(text, at) || isQuote(text, at)) return true;
  if (text.charCodeAt(at) !== PERCENT) return quote === undefined && text[at] === '&';
  const escape = escapeAt(text, at);
  return quote === undefined ? ENCODED_ENDS.has(escape) : escape === quote;
}

/** `%3D` as `%3d`; whatever stands there when it is no escape. */
function escapeAt(text: string, at: number): string {
  return text.slice(at, at + LENGTH).toLowerCase();
}
