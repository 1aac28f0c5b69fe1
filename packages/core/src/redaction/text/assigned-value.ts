import {
  BACKSLASH,
  COLON,
  EQUALS,
  GREATER_THAN,
  isBlank,
  isDoubleSlash,
  isLower,
  isQuote,
  isSpace,
  skip,
} from './characters.ts';
import { endOfMarker, type Span } from './span.ts';

/** Values that give nothing away. */
const EMPTY_VALUES = new Set([
  'null',
  'undefined',
  'true',
  'false',
  'none',
  'None',
  'True',
  'False',
]);

/** How an error message goes on after the field it is about: `password: must not be empty`. */
const PROSE = new Set(
  (
    'required must not is expired invalid missing malformed failed because field was has cannot too wrong incorrect ' +
    'mismatch needed'
  ).split(' '),
);
const LONGEST_PROSE = 9;

/**
 * Where the value starts that is given to the word that ends at `wordEnd`: after `=`, `==`, `:` or `=>`, quotes and blanks
 * between them; -1 when none is. `::` and `://` are no assignments.
 */
export function startOfValue(text: string, wordEnd: number): number {
  const at = endOfBlanks(text, skipQuote(text, wordEnd));
  const sign = text.charCodeAt(at);
  if (sign !== COLON && sign !== EQUALS) return -1;
  const next = text.charCodeAt(at + 1);
  if (sign === COLON && (next === COLON || isDoubleSlash(text, at + 1))) return -1;
  return endOfBlanks(text, sign === EQUALS ? endOfEqualsSign(text, at) : at + 1);
}

/** `=`, `=>`, `==` or `===`. */
function endOfEqualsSign(text: string, at: number): number {
  if (text.charCodeAt(at + 1) === GREATER_THAN) return at + 2;
  let end = at + 1;
  while (end < at + 3 && text.charCodeAt(end) === EQUALS) end += 1;
  return end;
}

/**
 * Whether an error message goes on at `start`, and no value stands there: `password: required`. Only after a colon right
 * behind the name: `password=required` is an assignment.
 */
export function isProse(text: string, wordEnd: number, start: number, label: string): boolean {
  if (label !== 'password' && label !== 'secret' && label !== 'authorization') return false;
  if (text.charCodeAt(wordEnd) !== COLON) return false;
  let end = start;
  while (end - start <= LONGEST_PROSE && isLower(text, end)) end += 1;
  if (!PROSE.has(text.slice(start, end))) return false;
  const next = '.,;:!?)'.includes(text.charAt(end)) ? end + 1 : end;
  return next >= text.length || isSpace(text, next);
}

/** Where the value starts that follows the flag of a command line, as in `--password hunter2`; -1 when none does. */
export function startOfFlagValue(text: string, wordStart: number, wordEnd: number): number {
  if (!isBlank(text, wordEnd) || !text.startsWith('--', wordStart)) return -1;
  const at = endOfBlanks(text, wordEnd);
  return text[at] === '-' ? -1 : at;
}

/** The value that starts at `start`, of a field that holds what `label` says. */
export function findValue(text: string, start: number, label: string): Span | undefined {
  const valueStart = skipQuote(text, start);
  const end =
    valueStart > start
      ? endOfQuoted(text, start, valueStart)
      : isWholeLine(label)
        ? endOfHeader(text, start)
        : endOfBare(text, start, label === 'api-key');
  if (
    end <= valueStart ||
    EMPTY_VALUES.has(text.slice(valueStart, Math.min(end, valueStart + 10)))
  ) {
    return undefined;
  }
  return { label, start: valueStart, end };
}

/** The headers whose values have blanks in them: `Cookie: a=1; b=2`, `Authorization: Digest a="b", c="d"`. */
function isWholeLine(label: string): boolean {
  return label === 'cookie' || label === 'authorization';
}

/** After a quote, which may itself be escaped, as in JSON inside JSON: `{\"password\":\"x\"}`. */
function skipQuote(text: string, at: number): number {
  let quote = at;
  while (text.charCodeAt(quote) === BACKSLASH) quote += 1;
  return isQuote(text, quote) ? quote + 1 : at;
}

/**
 * The closing quote has as many backslashes before it as the opening one; a quote inside has more, and pairs of them may
 * stand before either. Without one (a line that was cut off), the value goes on to the end.
 */
function endOfQuoted(text: string, start: number, valueStart: number): number {
  const quote = text[valueStart - 1];
  const depth = valueStart - 1 - start;
  let backslashes = 0;
  for (let at = valueStart; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') {
      backslashes += 1;
      continue;
    }
    if (character === quote && backslashes % (2 * (depth + 1)) === depth) return at - depth;
    backslashes = 0;
  }
  return text.length;
}

/**
 * To the end of the line, or to a quote that ends the text around it: one that does not close a parameter of the header
 * (`response="…"`) and has a separator behind it, so that `O'Brien` goes on.
 */
function endOfHeader(text: string, start: number): number {
  let opened = '';
  let beforeBackslashes = start;
  let at = start;
  for (; at < text.length && text[at] !== '\n' && text[at] !== '\r'; at += 1) {
    const character = text.charAt(at);
    if (isQuote(text, at)) {
      if (opened === character) opened = '';
      else if (opened === '' && text[beforeBackslashes - 1] === '=') opened = character;
      else if (opened === '' && isSeparator(text, at + 1)) return beforeBackslashes;
    }
    if (character !== '\\') beforeBackslashes = at + 1;
  }
  return at;
}

function isSeparator(text: string, at: number): boolean {
  return at >= text.length || isSpace(text, at) || ',}])\\'.includes(text.charAt(at));
}

/**
 * To a blank, a quote or a `&`, less the brackets and commas at the end, which belong to the text around it. A key has no
 * `;` in it, which goes on with the next field of a connection string.
 */
function endOfBare(text: string, start: number, isKey: boolean): number {
  const certainEnd = endOfMarkerOrBrackets(text, start);
  let end = skip(text, certainEnd, isKey ? isBareKey : isBare);
  while (end > certainEnd && ',;)}]'.includes(text.charAt(end - 1))) end -= 1;
  return end;
}

function endOfMarkerOrBrackets(text: string, start: number): number {
  const markerEnd = endOfMarker(text, start);
  if (markerEnd !== -1) return markerEnd;
  return text[start] === '[' || text[start] === '{' ? endOfBrackets(text, start) : start;
}

/** To the bracket that closes the first one; to the end, when none does. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function isBare(text: string, at: number): boolean {
  return !isSpace(text, at) && !isQuote(text, at) && !'&<>\\'.includes(text.charAt(at));
}

function isBareKey(text: string, at: number): boolean {
  return isBare(text, at) && text[at] !== ';';
}

function endOfBlanks(text: string, at: number): number {
  let end = at;
  while (isBlank(text, end)) end += 1;
  return end;
}
