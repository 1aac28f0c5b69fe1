import {
  AT_SIGN,
  COLON,
  endsUrl,
  HASH,
  isDigit,
  OPENING_BRACKET,
  QUESTION_MARK,
  skip,
  SLASH,
} from './characters.ts';
import { endOfMarker, type Span } from './span.ts';

/** How far behind a `/` to look for the `@`. */
const LONGEST_REST = 256;

/**
 * Finds the passwords in the URLs of one text, asked from left to right. Keeps how far it has looked for an `@`, so that
 * a text full of `://` is walked over once and not once for each.
 */
export class UrlPasswords {
  readonly #text: string;
  /** From one place to the other, the end not included, there is no `@` and nothing that ends a URL. */
  #plainFrom = 0;
  #plainTo = 0;
  #lastAtSign: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The password of `scheme://user:password@host`, given where the authority starts. A password with a `/` in it, which a
   * URL may not have but people write, is found as well, unless it could be a port and a path.
   */
  find(authorityStart: number): Span | undefined {
    const text = this.#text;
    this.#lastAtSign ??= text.lastIndexOf('@'); // most texts have none, and no password in a URL then
    if (authorityStart > this.#lastAtSign) return undefined;
    let colon = -1;
    let lastAt = -1;
    let at = authorityStart;
    for (; at < text.length && !endsUrl(text, at); at += 1) {
      const code = text.charCodeAt(at);
      if (code === SLASH || code === QUESTION_MARK || code === HASH) {
        if (colon === -1 || lastAt !== -1 || isPort(text, colon + 1, at)) break;
        lastAt = this.#atSignBehind(at);
        break;
      }
      if (code === OPENING_BRACKET) at = Math.max(at, endOfMarker(text, at) - 1);
      else if (code === AT_SIGN) lastAt = at;
      else if (code === COLON && colon === -1) colon = at;
    }
    if (colon === -1 || lastAt <= colon + 1) return undefined;
    return { label: 'password', start: colon + 1, end: lastAt };
  }

  /** The first `@` between `from` and the end of the URL; -1 when there is none near. */
  #atSignBehind(from: number): number {
    const text = this.#text;
    const limit = Math.min(text.length, from + LONGEST_REST);
    const isKnown = from >= this.#plainFrom && from < this.#plainTo;
    if (!isKnown) this.#plainFrom = from;
    let at = isKnown ? this.#plainTo : from;
    while (at < limit && text.charCodeAt(at) !== AT_SIGN && !endsUrl(text, at)) at += 1;
    this.#plainTo = at;
    return at < limit && text.charCodeAt(at) === AT_SIGN ? at : -1;
  }
}

function isPort(text: string, start: number, end: number): boolean {
  return skip(text, start, isDigit) >= end;
}
