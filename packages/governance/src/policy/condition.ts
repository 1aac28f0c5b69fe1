import { ABSENT, NOT_RECORDED, UNREADABLE } from './argument.ts';
import type { ArgumentConditionDocument, ScalarDocument } from './vocabulary.ts';

/*
 * Three answers, as in Kleene's logic: what cannot be known (a value of the wrong type, one that is missing, a text that
 * only looks like the listed one) is neither true nor false. What permits needs YES; what restricts needs no more than
 * MAYBE. So a value that does not fit can never make an outcome laxer.
 */
export const NO = 0;
export const MAYBE = 1;
export const YES = 2;
export type Truth = typeof NO | typeof MAYBE | typeof YES;

/** What the policy says of one argument; all parts of it have to hold. One class for all, so that testing stays fast. */
export class Condition {
  /** In words: `must be at most 50`. */
  readonly demand: string;
  /** The texts that it compares with. */
  readonly listed: readonly string[];
  readonly #exists: boolean | undefined;
  readonly #hasRange: boolean;
  readonly #min: number;
  readonly #max: number;
  readonly #texts: TextList | undefined;
  readonly #values: ReadonlySet<unknown> | undefined;
  readonly #valueType: string;

  constructor(document: ArgumentConditionDocument) {
    const { min, max, equals, in: several, exists } = document;
    const values = several ?? (equals === undefined ? [] : [equals]);
    this.demand = demandOf(document);
    this.listed = values.filter((value) => typeof value === 'string');
    this.#exists = exists;
    this.#hasRange = min !== undefined || max !== undefined;
    this.#min = min ?? -Infinity;
    this.#max = max ?? Infinity;
    // All of one type, and not both `equals` and `in`: see the checks of a policy.
    this.#texts = this.listed.length > 0 ? new TextList(this.listed) : undefined;
    this.#values = values.length > 0 && !this.#texts ? new Set(values) : undefined;
    this.#valueType = typeof values[0];
  }

  test(value: unknown): Truth {
    if (typeof value === 'symbol') {
      if (value === ABSENT) return this.#exists === undefined ? MAYBE : this.#exists ? NO : YES;
      if (value === UNREADABLE || value === NOT_RECORDED) return MAYBE;
    }
    if (this.#exists === false) return NO;
    let truth: Truth = YES;
    if (this.#hasRange) {
      if (typeof value !== 'number' || !Number.isFinite(value)) truth = MAYBE;
      else if (value < this.#min || value > this.#max) return NO;
    }
    if (this.#texts) return least(truth, this.#texts.test(value));
    if (this.#values) {
      if (typeof value !== this.#valueType) return MAYBE;
      if (typeof value === 'number' && !Number.isFinite(value)) return MAYBE;
      if (!this.#values.has(value)) return NO;
    }
    return truth;
  }
}

/** In words, without a character of what the agent wrote: `is 900`, `is a text`. */
export function describeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `is ${value}`;
  if (typeof value === 'string') return 'is another text';
  if (value === ABSENT) return 'is missing';
  if (value === null) return 'is null';
  return typeof value === 'object' ? 'is a list or an object' : 'cannot be read';
}

/** No listed text is longer than this; what an agent blew up to more may hide anything. */
const LONGEST_COMPARED = 4_096;

class TextList {
  readonly #exact: ReadonlySet<string>;
  readonly #alike: ReadonlySet<string>;
  readonly #isAllPlain: boolean;

  constructor(listed: readonly string[]) {
    this.#exact = new Set(listed);
    this.#alike = new Set(listed.map(folded));
    this.#isAllPlain = listed.every(isPlain);
  }

  test(value: unknown): Truth {
    if (typeof value !== 'string' || value.length > LONGEST_COMPARED) return MAYBE;
    if (this.#exact.has(value)) return YES;
    if (this.#isAllPlain && isPlain(value)) return NO; // what is plain is alike only to itself
    return this.#alike.has(folded(value)) ? MAYBE : NO;
  }
}

const [EXCLAMATION_MARK, TILDE, UPPER_A, UPPER_Z] = [0x21, 0x7e, 0x41, 0x5a];

/** Whether a text is its own folded form, as most are: visible ASCII without capitals and spaces. */
function isPlain(text: string): boolean {
  for (let n = 0; n < text.length; n += 1) {
    const code = text.charCodeAt(n);
    if (code < EXCLAMATION_MARK || code > TILDE || (code >= UPPER_A && code <= UPPER_Z))
      return false;
  }
  return true;
}

const PRINTABLE_ASCII = /^[\x20-\x7E]*$/;
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** What a person, or a system behind the tool, may take for the same text: other case, spaces around it, hidden characters. */
function folded(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text.trim().toLowerCase();
  return text.normalize('NFKC').replaceAll(INVISIBLE, '').trim().toLowerCase();
}

function least(a: Truth, b: Truth): Truth {
  return a < b ? a : b;
}

function demandOf({ min, max, equals, in: listed, exists }: ArgumentConditionDocument): string {
  if (exists === false) return 'must not be given';
  const demands: string[] = [];
  if (min !== undefined && max !== undefined) demands.push(`from ${min} to ${max}`);
  else if (min !== undefined) demands.push(`at least ${min}`);
  else if (max !== undefined) demands.push(`at most ${max}`);
  if (equals !== undefined) demands.push(quoted(equals));
  if (listed !== undefined) {
    const shown = listed.slice(0, 3).map(quoted).join(', ');
    demands.push(listed.length > 3 ? `one of ${listed.length} listed values` : `one of ${shown}`);
  }
  return demands.length === 0 ? 'must be given' : `must be ${demands.join(' and ')}`;
}

/** Texts of the policy's author. */
function quoted(value: ScalarDocument): string {
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
