import { COLON, isBlank, isDigit, isQuote, isSpace, skip } from './characters.ts';
import type { Span } from './span.ts';

const FLAGS = new Set(['-u', '-U', '--user', '--proxy-user', '--http-user']);
const LONGEST_USER = 128;

/** The password in `curl -u ada:hunter2`; not the group in `docker run --user 1000:1000`. */
export function findUserPassword(text: string, start: number, end: number): Span | undefined {
  if (text[start] !== '-' || !isBlank(text, end) || !FLAGS.has(text.slice(start, end))) {
    return undefined;
  }
  const valueStart = skip(text, end, isBlank);
  const isQuoted = isQuote(text, valueStart);
  const userStart = isQuoted ? valueStart + 1 : valueStart;
  let colon = userStart;
  while (colon - userStart < LONGEST_USER && isUserCharacter(text, colon)) colon += 1;
  if (colon === userStart || text.charCodeAt(colon) !== COLON) return undefined;
  const quote = isQuoted ? text[valueStart] : undefined;
  let passwordEnd = colon + 1;
  while (passwordEnd < text.length && !endsPassword(text, passwordEnd, quote)) passwordEnd += 1;
  if (passwordEnd === colon + 1 || skip(text, colon + 1, isDigit) >= passwordEnd) return undefined;
  return { label: 'password', start: colon + 1, end: passwordEnd };
}

function isUserCharacter(text: string, at: number): boolean {
  return (
    at < text.length && !isSpace(text, at) && !isQuote(text, at) && text.charCodeAt(at) !== COLON
  );
}

function endsPassword(text: string, at: number, quote: string | undefined): boolean {
  return quote === undefined ? isSpace(text, at) || isQuote(text, at) : text[at] === quote;
}
