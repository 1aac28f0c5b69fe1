import { isCount, type SecretKeys } from '../secret-keys.ts';
import { findValue, isProse, startOfFlagValue, startOfValue } from './assigned-value.ts';
import { findBlock } from './block-value.ts';
import {
  AT_SIGN,
  BACKSLASH,
  COLON,
  endOfWord,
  ESCAPE,
  GREATER_THAN,
  isDoubleSlash,
  isWord,
  OPENING_BRACKET,
  PERCENT,
} from './characters.ts';
import { findCredential } from './credential.ts';
import { findElementText } from './element.ts';
import { findEmail } from './email.ts';
import { findEncodedValue } from './encoded-value.ts';
import { findGenericKey } from './generic-key.ts';
import { findIpv4, findIpv6 } from './ip-address.ts';
import { findJwt } from './jwt.ts';
import { findDottedKey, findKnownKey } from './known-key.ts';
import { findPrivateKeyBlock } from './private-key-block.ts';
import { endOfEscape } from './escape.ts';
import { endOfMarker, marker, type Span } from './span.ts';
import { UrlPasswords } from './url-password.ts';
import { findUserPassword } from './user-flag.ts';
import { findWebhook } from './webhook.ts';

export interface TextRules {
  secretKeys: SecretKeys;
  email: boolean;
  ipAddresses: boolean;
  genericKeys: boolean;
}

/** `-----BEGIN`, the start of a JWT; keys are longer. Most words are shorter, and need not be looked at for them. */
const SHORTEST_LONG_WORD = 10;

/**
 * Replaces every secret in a text by its marker, in one pass from left to right: each place is looked at a bounded number
 * of times whatever the text, for a finder either consumes what it walked over or walks no further than the word, the
 * blanks after it, or a fixed bound. That is what regular expressions over the whole text could not promise.
 */
export function redactText(text: string, rules: TextRules): string {
  let redacted = '';
  let copiedTo = 0;
  const urlPasswords = new UrlPasswords(text);
  /** The password of somebody whose name, which may be a secret too, stands before it. */
  let pending: Span | undefined;
  let at = 0;
  while (at < text.length) {
    let span: Span | undefined;
    let next = at + 1;
    if (pending?.start === at) {
      span = pending;
    } else if (isWord(text, at)) {
      next = endOfWord(text, at + 1);
      span = findFirstFromWord(text, at, next, rules);
      pending = findUserPassword(text, at, next) ?? pending;
    } else {
      switch (text.charCodeAt(at)) {
        case OPENING_BRACKET:
          next = Math.max(next, endOfMarker(text, at));
          break;
        case COLON:
          if (isDoubleSlash(text, at + 1)) {
            pending = urlPasswords.find(at + 3);
            next = at + 3;
          } else if (
            text.charCodeAt(at + 1) === COLON &&
            (at === copiedTo || !isWord(text, at - 1))
          ) {
            span = rules.ipAddresses ? findIpv6(text, at) : undefined; // not the `::` of `std::vector`
          }
          break;
        case AT_SIGN:
          if (rules.email) span = findEmail(text, at, copiedTo);
          break;
        case BACKSLASH:
        case PERCENT:
        case ESCAPE:
          next = endOfEscape(text, at);
          break;
      }
    }
    if (span) {
      redacted += text.slice(copiedTo, span.start) + marker(span.label);
      copiedTo = span.end;
      next = span.end;
    }
    at = next;
  }
  return copiedTo === 0 ? text : redacted + text.slice(copiedTo);
}

/** What starts in the middle of a word leaves the part before it, which may be a secret too. */
function findFirstFromWord(
  text: string,
  start: number,
  end: number,
  rules: TextRules,
): Span | undefined {
  const span = findFromWord(text, start, end, rules);
  if (!span || span.start === start || span.start >= end) return span;
  return findFromWord(text, start, span.start, rules) ?? span;
}

function findFromWord(
  text: string,
  start: number,
  end: number,
  rules: TextRules,
): Span | undefined {
  return (
    findAssigned(text, start, end, rules.secretKeys) ??
    findCredential(text, start, end) ??
    (end - start >= SHORTEST_LONG_WORD ? findFromLongWord(text, start, end, rules) : undefined) ??
    findDottedKey(text, start, end) ??
    findWebhook(text, start, end) ??
    (rules.ipAddresses ? findIpAddress(text, start, end) : undefined)
  );
}

function findFromLongWord(
  text: string,
  start: number,
  end: number,
  rules: TextRules,
): Span | undefined {
  return (
    findPrivateKeyBlock(text, end) ??
    findJwt(text, start, end) ??
    // The whole word before a part of it: what is left of the word is not looked at again.
    (rules.genericKeys ? findGenericKey(text, start, end) : undefined) ??
    findKnownKey(text, start, end)
  );
}

function findAssigned(
  text: string,
  start: number,
  end: number,
  secretKeys: SecretKeys,
): Span | undefined {
  if (end - start < secretKeys.shortestName) return undefined;
  let valueStart = startOfValue(text, end);
  if (valueStart === -1) valueStart = startOfFlagValue(text, start, end);
  if (valueStart === -1 && !mayBeWrapped(text, end)) return undefined;
  const kind = secretKeys.kindOf(text.slice(start, end));
  if (!kind || isProse(text, end, valueStart, kind.label)) return undefined;
  const span =
    valueStart === -1
      ? (findElementText(text, start, end, kind.label) ?? findEncodedValue(text, end, kind.label))
      : (findBlock(text, valueStart, kind.label) ?? findValue(text, valueStart, kind.label));
  const isShown = span && kind.mayBeCount && isCount(text.slice(span.start, span.end));
  return isShown ? undefined : span;
}

/** Whether a value may follow in another way than behind a sign: in an element, or encoded for a URL. */
function mayBeWrapped(text: string, wordEnd: number): boolean {
  const code = text.charCodeAt(wordEnd);
  return code === GREATER_THAN || code === PERCENT;
}

function findIpAddress(text: string, start: number, end: number): Span | undefined {
  return (
    findIpv4(text, start, end) ??
    (text.charCodeAt(end) === COLON && !isDoubleSlash(text, end + 1)
      ? findIpv6(text, start)
      : undefined)
  );
}
