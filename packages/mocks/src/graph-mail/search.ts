import type { MailMessage } from './client.ts';
import type { MessagePredicate } from './filter.ts';
import type { Recipient } from './message-fields.ts';

/** A `$search` that this mock does not understand. */
export class UnsupportedSearchError extends Error {}

const OPERATORS = new Set(['AND', 'OR', 'NOT', 'NEAR']);

/** What each property name stands for; without one it is sender, subject or body, as at the provider. */
const TEXT_OF = new Map<string, (message: MailMessage) => string>([
  ['from', ({ from }) => addressText([from])],
  ['to', ({ toRecipients }) => addressText(toRecipients)],
  ['subject', ({ subject }) => subject],
  ['body', ({ body }) => body.content],
  ['', ({ from, subject, body }) => `${addressText([from])}\n${subject}\n${body.content}`],
]);

/** A property's name and a word, or several in quotes. */
const TERM = /(?:(\w+):)?(?:"([^"]*)"|([^\s"]+))/g;

/**
 * Compiles a search: every term must be in the text, case not mattering.
 * @throws {UnsupportedSearchError} For an empty query, an operator, or a property that is not supported.
 */
export function compileSearch(query: string): MessagePredicate {
  const terms = [...query.matchAll(TERM)].map(([, property = '', phrase, word = '']) => {
    if (phrase === undefined && OPERATORS.has(word)) throw unsupported(`the operator ${word}`);
    const textOf = TEXT_OF.get(property.toLowerCase());
    if (!textOf) throw unsupported(`the property ${property}`);
    return { textOf, text: (phrase ?? word).toLowerCase() };
  });
  if (terms.length === 0) throw unsupported('an empty query');
  return (message) =>
    terms.every(({ textOf, text }) => textOf(message).toLowerCase().includes(text));
}

function addressText(recipients: readonly Recipient[]): string {
  return recipients
    .map(({ emailAddress }) => `${emailAddress.name ?? ''} ${emailAddress.address}`)
    .join('\n');
}

function unsupported(what: string): UnsupportedSearchError {
  return new UnsupportedSearchError(
    `Cannot search for ${what}; write words or "phrases", with from:, to:, subject: or body: before them`,
  );
}
