/** Codes of characters. Comparing codes is several times faster than comparing strings of one character. */
export const ESCAPE = 0x1b;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const LESS_THAN = 0x3c;
export const EQUALS = 0x3d;
export const GREATER_THAN = 0x3e;
export const QUESTION_MARK = 0x3f;
export const AT_SIGN = 0x40;
export const OPENING_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;

/** Classes of ASCII characters, as bits; every other character is of none. */
const DIGIT = 1;
const LOWER = 2;
const UPPER = 4;
const HEX = 8;
const JOINER = 16; // - and _
const TOKEN = 32; // what RFC 6750 and RFC 7235 allow in a bearer or basic credential, besides letters, digits and joiners

const URL_END = 64; // blanks, quotes and angle brackets, which a URL may not have in it

const WORD = DIGIT | LOWER | UPPER | JOINER;

const CLASSES = new Uint8Array(128);
mark('0123456789', DIGIT | HEX);
mark('abcdefghijklmnopqrstuvwxyz', LOWER);
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER);
mark('abcdefABCDEF', HEX);
mark('-_', JOINER);
mark('.~+/=', TOKEN);
mark(' \t\n\v\f\r"\'`<>', URL_END);

function mark(characters: string, bits: number): void {
  for (const character of characters) {
    const code = character.charCodeAt(0);
    CLASSES[code] = (CLASSES[code] ?? 0) | bits;
  }
}

function is(text: string, at: number, bits: number): boolean {
  const code = text.charCodeAt(at);
  // The test keeps reads within the table, also past the end of the text (NaN); V8 is slow on others.
  return code < 128 && ((CLASSES[code] ?? 0) & bits) !== 0;
}

export function isDigit(text: string, at: number): boolean {
  return is(text, at, DIGIT);
}

export function isLower(text: string, at: number): boolean {
  return is(text, at, LOWER);
}

export function isUpper(text: string, at: number): boolean {
  return is(text, at, UPPER);
}

export function isHex(text: string, at: number): boolean {
  return is(text, at, HEX);
}

export function isAlphanumeric(text: string, at: number): boolean {
  return is(text, at, DIGIT | LOWER | UPPER);
}

/** A letter, a digit, `-` or `_`. */
export function isWord(text: string, at: number): boolean {
  return is(text, at, WORD);
}

export function isWordOrDot(text: string, at: number): boolean {
  return isWord(text, at) || text.charCodeAt(at) === DOT;
}

/** What a bearer or basic credential is made of. */
export function isTokenCharacter(text: string, at: number): boolean {
  return is(text, at, DIGIT | LOWER | UPPER | JOINER | TOKEN);
}

export function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

export function isQuote(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x22 || code === 0x27 || code === 0x60;
}

export function endsUrl(text: string, at: number): boolean {
  return is(text, at, URL_END);
}

/** Whether `//` stands here. */
export function isDoubleSlash(text: string, at: number): boolean {
  return text.charCodeAt(at) === SLASH && text.charCodeAt(at + 1) === SLASH;
}

/** Where the word that goes on at `at` ends. Written out, for this is where the time goes. */
export function endOfWord(text: string, at: number): number {
  for (let end = at; ; end += 1) {
    const code = text.charCodeAt(end);
    if (!(code < 128 && ((CLASSES[code] ?? 0) & WORD) !== 0)) return end;
  }
}

/** The first place at or after `at` that is not of the class. */
export function skip(
  text: string,
  at: number,
  isOfClass: (text: string, at: number) => boolean,
): number {
  let end = at;
  while (end < text.length && isOfClass(text, end)) end += 1;
  return end;
}
