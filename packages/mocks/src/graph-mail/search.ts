import { plainText } from './body-text.ts';
import { hasAttachments, type StoredMessage, type StoredRecipient } from './stored-message.ts';

/** A `$search` that is not understood here. */
export class UnsupportedSearchError extends Error {}

type Predicate = (message: StoredMessage) => boolean;

/** What each property name stands for; without one it is sender, subject or body, as at the provider. */
const TEXT_OF: ReadonlyMap<string, (message: StoredMessage) => string> = new Map([
  ['from', ({ from }) => addressText([from])],
  ['to', ({ toRecipients }) => addressText(toRecipients)],
  ['cc', ({ ccRecipients }) => addressText(ccRecipients)],
  ['bcc', ({ bccRecipients }) => addressText(bccRecipients)],
  ['recipients', (message) => addressText(recipientsOf(message))],
  ['participants', (message) => addressText([message.from, ...recipientsOf(message)])],
  ['subject', ({ subject }) => subject],
  ['body', ({ body }) => plainText(body)],
  ['attachment', ({ attachments }) => attachments.map(({ name }) => name).join('\n')],
  ['', ({ from, subject, body }) => `${addressText([from])}\n${subject}\n${plainText(body)}`],
]);

/** Left out or not; a property's name and how it compares; then a word, or several in quotes; then a blank or the end. */
const TERM = /(NOT\s+|-)?(?:([A-Za-z]+)(:|<>|>=|<=|>|<|=))?(?:"([^"]*)"|([^\s"]+))(?:\s+|$)/y;
const AND = /AND\s+/y;
/** The words that are operators of KQL when written so, with what may follow them at once: `NEAR/3`. */
const OPERATOR = /^(?:ALL|AND|ANY|NEAR|NONE|NOT|ONEAR|OR|WORDS|XRANK)(?![\p{L}\p{N}\p{M}])/u;
/** What is no syntax of KQL: letters and digits, joined by what joins them in words, addresses and paths. */
const PLAIN_WORD = /^[\p{L}\p{N}\p{M}]+(?:['’@&/+_.-][\p{L}\p{N}\p{M}]+)*\*?$/u;

interface Term {
  readonly isExcluded: boolean;
  /** In lower case; empty for none. */
  readonly property: string;
  readonly comparison: string;
  readonly value: string;
  readonly isPhrase: boolean;
}

/**
 * Compiles a KQL search: every term must hold, or not hold where `-` or `NOT` stands before it. Words and the names of
 * people and addresses are compared from the beginning of a word, with or without a `*` behind, case not mattering.
 * @throws {UnsupportedSearchError} For an empty query, a property that is not supported, and whatever else of KQL's
 * syntax is not understood here: nothing of a query is passed over.
 * @example
 * compileSearch('from:priya -subject:"the proposal" hasAttachments:false received>=2026-01-09');
 */
export function compileSearch(query: string): Predicate {
  const terms = termsOf(query.trim());
  const named = new Set<string>();
  for (const { property } of terms) {
    // The provider joins repeated properties by OR in some places and by AND in others.
    if (property !== '' && named.has(property)) throw unsupported(`${property} more than once`);
    named.add(property);
  }
  const tests = terms.map((term) => ({ isExcluded: term.isExcluded, fits: compileTerm(term) }));
  return (message) => tests.every(({ isExcluded, fits }) => fits(message) !== isExcluded);
}

function termsOf(text: string): readonly Term[] {
  const terms: Term[] = [];
  for (let at = 0; at < text.length;) {
    const and = terms.length > 0 ? matchAt(AND, text, at) : null;
    const from = at + (and?.[0].length ?? 0);
    const match = matchAt(TERM, text, from);
    if (!match) throw unsupported(text.slice(at));
    const [whole, exclusion, name = '', comparison = ':', phrase, word = ''] = match;
    terms.push({
      isExcluded: exclusion !== undefined,
      property: name.toLowerCase(),
      comparison,
      value: phrase ?? word,
      isPhrase: phrase !== undefined,
    });
    at = from + whole.length;
  }
  if (terms.length === 0) throw unsupported('an empty query');
  return terms;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function compileTerm({ property, comparison, value, isPhrase }: Term): Predicate {
  if (property === 'received' || property === 'sent') {
    const fits = compileTime(comparison, value);
    return (message) => fits(property === 'sent' ? message.sentAt : message.receivedAt);
  }
  if (comparison !== ':' && comparison !== '=') throw unsupported(`${property}${comparison}`);
  switch (property) {
    case 'hasattachment':
    case 'hasattachments': {
      const word = value.toLowerCase();
      if (word !== 'true' && word !== 'false') throw unsupported(`${property}:${value}`);
      return (message) => hasAttachments(message) === (word === 'true');
    }
    case 'importance': {
      const word = value.toLowerCase();
      if (!['low', 'normal', 'high'].includes(word)) throw unsupported(`importance:${value}`);
      return ({ importance }) => importance === word;
    }
    default: {
      const textOf = TEXT_OF.get(property);
      if (!textOf) throw unsupported(`the property ${property}`);
      // With `=` KQL means the whole of the property and not a part.
      if (comparison === '=') throw unsupported(`${property}=`);
      const wanted = isPhrase ? wordsOfPhrase(value) : wordsOf(plainWord(value));
      return (message) => holdsPhrase(wordsOf(textOf(message)), wanted);
    }
  }
}

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Days are those of UTC. */
function compileTime(comparison: string, value: string): (at: number) => boolean {
  const [first = '', last = first, ...more] = value.split('..');
  if (more.length > 0) throw unsupported(value);
  const [from, until] = [dayOf(first), dayOf(last) + DAY_MS];
  switch (comparison) {
    case ':':
    case '=':
      return (at) => at >= from && at < until;
    default:
      if (value.includes('..')) throw unsupported(`${comparison}${value}`);
  }
  switch (comparison) {
    case '>':
      return (at) => at >= until;
    case '>=':
      return (at) => at >= from;
    case '<':
      return (at) => at < from;
    case '<=':
      return (at) => at < until;
    default:
      throw unsupported(`${comparison}${value}`);
  }
}

function dayOf(word: string): number {
  const day = DAY.test(word) ? Date.parse(word) : Number.NaN;
  // Some engines read February 30 as a day in March.
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(word)) {
    throw unsupported(`${word}, where a day as 2026-01-31 must be`);
  }
  return day;
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

function plainWord(word: string): string {
  if (OPERATOR.test(word)) throw unsupported(`the operator ${word}`);
  if (!PLAIN_WORD.test(word)) throw unsupported(`${word}, which is no plain word`);
  return word;
}

function wordsOfPhrase(phrase: string): readonly string[] {
  if (phrase.includes('*')) throw unsupported(`"${phrase}", for its *`);
  const words = wordsOf(phrase);
  if (words.length === 0) throw unsupported(`"${phrase}", which holds no word`);
  return words;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** Whether the words stand there one after the other; the last one may be the beginning of a longer word. */
function holdsPhrase(words: readonly string[], wanted: readonly string[]): boolean {
  const last = wanted.length - 1;
  return words.some((_word, at) =>
    wanted.every((want, offset) => {
      const word = words[at + offset];
      return offset === last ? word?.startsWith(want) === true : word === want;
    }),
  );
}

function recipientsOf({ toRecipients, ccRecipients, bccRecipients }: StoredMessage) {
  return [...toRecipients, ...ccRecipients, ...bccRecipients];
}

function addressText(recipients: readonly StoredRecipient[]): string {
  return recipients
    .map(({ emailAddress }) => `${emailAddress.name} ${emailAddress.address}`)
    .join('\n');
}

function unsupported(what: string): UnsupportedSearchError {
  return new UnsupportedSearchError(
    `Cannot search for ${what}; write words, word* or "phrases", with from:, to:, subject:, body: and the like before them, and - or NOT before what must not be there`,
  );
}
