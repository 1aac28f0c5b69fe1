import { redact, redactText } from '@buddy/core';
import { ABSENT, NOT_RECORDED, UNREADABLE } from './argument.ts';
import type { FactValue } from './decision.ts';

/*
 * A fact is what a rule looked at, kept so that the decision can be explained and replayed. Numbers, booleans and null are
 * themselves. A text is itself when it is short, harmless and visible; everything else is a text that begins with a
 * marker in brackets, and no text of an argument is kept with a bracket in front without `[text]` before it.
 */

/** Longer texts are cut. */
const LONGEST_TEXT = 64;
/** So much of a text is searched for secrets before it is cut: one at the cut would not be known for one. */
const SEARCHED_TEXT = 512;

export interface FactRules {
  /** Texts that the policy itself holds: no secrets. */
  readonly listed: ReadonlySet<string>;
  /** Whether a field of this name holds a secret, whatever it looks like. */
  readonly isSecret: boolean;
}

export function factOf(value: unknown, rules: FactRules): FactValue {
  if (typeof value === 'number') {
    if (rules.isSecret) return '[redacted]';
    return Number.isFinite(value) ? value : '[not a number]';
  }
  if (typeof value === 'string')
    return rules.listed.has(value) && !value.startsWith('[') ? value : textFact(value, rules);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'object') return isList(value) ? '[list]' : '[object]';
  if (value === ABSENT) return '[absent]';
  return value === NOT_RECORDED ? '[not recorded]' : '[unreadable]';
}

/** The value that a fact was, for conditions; NOT_RECORDED where it was cut or redacted. */
export function valueOfFact(fact: FactValue | undefined): unknown {
  if (fact === undefined) return NOT_RECORDED;
  if (typeof fact !== 'string' || !fact.startsWith('[')) return fact;
  if (fact.startsWith('[text]')) return fact.slice('[text]'.length);
  switch (fact) {
    case '[absent]':
      return ABSENT;
    case '[unreadable]':
      return UNREADABLE;
    case '[not a number]':
      return Number.NaN;
    case '[list]':
      return [];
    case '[object]':
      return {};
    default:
      return NOT_RECORDED;
  }
}

/** Whether a field of this name holds a secret. */
export function isSecretField(name: string): boolean {
  const copy = redact({ [name]: 'x' });
  return typeof copy === 'object' && copy !== null && Reflect.get(copy, name) !== 'x';
}

/** Short words of small letters hold no secret that core could find; a test says so. This spares the search. */
const PLAIN_WORD = /^[a-z_]{0,12}$/;
/** Controls, formats such as zero-width and bidi marks, lone surrogates, odd spaces. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\u00A0\u2000-\u200A\u202F\u205F\u3000\u115F\u1160\u3164\uFFA0]/u;
const EACH_HIDDEN = new RegExp(HIDDEN, 'gu');

function textFact(text: string, { isSecret }: FactRules): string {
  if (isSecret) return '[redacted]';
  if (PLAIN_WORD.test(text)) return text;
  const searched = text.length > SEARCHED_TEXT ? text.slice(0, SEARCHED_TEXT) : text;
  const shown = redactText(searched);
  if (shown !== searched) return `[redacted] ${visible(shown)}`;
  if (text.length > LONGEST_TEXT) return `[cut] ${visible(text)}`;
  if (HIDDEN.test(text)) return `[hidden characters] ${visible(text)}`;
  return text.startsWith('[') ? `[text]${text}` : text;
}

function visible(text: string): string {
  const start = text.slice(0, LONGEST_TEXT);
  const escaped = start.replaceAll(
    EACH_HIDDEN,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return escaped.slice(0, 2 * LONGEST_TEXT);
}

function isList(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a proxy that is revoked
  }
}
