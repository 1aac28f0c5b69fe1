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

/** A property's name and how it compares; then a word, or several in quotes. */
const TERM = /\s*(?:([A-Za-z]+)(:|>=|<=|>|<|=))?(?:"([^"]*)"|([^\s"]+))/gy;
const OPERATORS = new Set(['OR', 'NOT', 'NEAR', 'ONEAR', 'XRANK']);

/**
 * Compiles a KQL search: every term must hold; words and the names of people and addresses are compared from the
 * beginning of a word, case not mattering.
 * @throws {UnsupportedSearchError} For an empty query, an operator but AND, or a property that is not supported.
 * @example
 * compileSearch('from:priya subject:"the proposal" hasAttachments:false received>=2026-01-09');
 */
export function compileSearch(query: string): Predicate {
  const text = query.trim();
  const terms: Predicate[] = [];
  const named = new Set<string>();
  let end = 0;
  for (const match of text.matchAll(TERM)) {
    end = match.index + match[0].length;
    const [, name = '', comparison = ':', phrase, word = ''] = match;
    if (name === '' && word === 'AND' && terms.length > 0 && end < text.length) continue;
    if (phrase === undefined && (OPERATORS.has(word) || word === 'AND' || /[()]/.test(word))) {
      throw unsupported(`the operator ${word}`);
    }
    const property = name.toLowerCase();
    // The provider joins repeated properties by OR in some places and by AND in others.
    if (property !== '' && named.has(property)) throw unsupported(`${name} more than once`);
    named.add(property);
    terms.push(compileTerm(property, comparison, phrase ?? word));
  }
  if (end < text.length) throw unsupported(text.slice(end));
  if (terms.length === 0) throw unsupported('an empty query');
  return (message) => terms.every((fits) => fits(message));
}

function compileTerm(property: string, comparison: string, value: string): Predicate {
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
      const wanted = wordsOf(value);
      if (wanted.length === 0) throw unsupported(`${JSON.stringify(value)}, which holds no word`);
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
  if (Number.isNaN(day)) throw unsupported(`${word}, where a day as 2026-01-31 must be`);
  return day;
}

const WORD = /[\p{L}\p{N}]+/gu;

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
    `Cannot search for ${what}; write words or "phrases", with from:, to:, subject:, body: and the like before them`,
  );
}
