import type { MailMessage } from './client.ts';

export type MessagePredicate = (message: MailMessage) => boolean;

/** A `$filter` that this mock does not understand. Refusing is right: ignoring a clause would answer wrongly. */
export class UnsupportedFilterError extends Error {}

const SUPPORTED =
  'supported are: isRead eq true|false, subject eq, from/emailAddress/address eq, receivedDateTime ge, joined by "and"';

/**
 * Compiles an OData filter, as far as it is supported.
 * @throws {UnsupportedFilterError} Quoting the clause.
 * @example
 * compileFilter("isRead eq false and subject eq 'Don''t panic'");
 */
export function compileFilter(filter: string): MessagePredicate {
  const tokens = tokensOf(filter);
  const clauses: MessagePredicate[] = [];
  for (let at = 0; ; at += 4) {
    clauses.push(compileClause(tokens.slice(at, at + 3)));
    const joint = tokens[at + 3];
    if (joint === undefined) break;
    if (joint !== 'and') throw unsupported(joint);
  }
  return (message) => clauses.every((fits) => fits(message));
}

/** A quoted string, in which a quote is written twice, or anything up to the next blank or quote. */
const TOKEN = /\s*('(?:[^']|'')*'|[^\s']+)/gy;

function tokensOf(filter: string): readonly string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const match of filter.trim().matchAll(TOKEN)) {
    tokens.push(match[1] ?? '');
    end = match.index + match[0].length;
  }
  if (end < filter.trim().length) throw unsupported(filter.trim().slice(end));
  return tokens;
}

function compileClause(tokens: readonly string[]): MessagePredicate {
  const [property, operator, literal] = tokens;
  switch (`${property} ${operator}`) {
    case 'isRead eq':
      return isReadEquals(literal);
    case 'subject eq': {
      const subject = stringOf(literal);
      return (message) => message.subject === subject;
    }
    case 'from/emailAddress/address eq': {
      const address = stringOf(literal).toLowerCase();
      return ({ from }) => from.emailAddress.address.toLowerCase() === address;
    }
    case 'receivedDateTime ge': {
      const earliest = timeOf(literal);
      return ({ receivedDateTime }) => Date.parse(receivedDateTime) >= earliest;
    }
    default:
      throw unsupported(tokens.join(' '));
  }
}

function isReadEquals(literal: string | undefined): MessagePredicate {
  if (literal !== 'true' && literal !== 'false') throw unsupported(`isRead eq ${literal ?? ''}`);
  const isRead = literal === 'true';
  return (message) => message.isRead === isRead;
}

function stringOf(literal: string | undefined): string {
  if (!literal?.startsWith("'"))
    throw unsupported(`${literal ?? 'nothing'}, where a quoted text must be`);
  return literal.slice(1, -1).replaceAll("''", "'");
}

const DATE_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d))?$/;

function timeOf(literal: string | undefined): number {
  const time = literal !== undefined && DATE_TIME.test(literal) ? Date.parse(literal) : Number.NaN;
  if (Number.isNaN(time)) throw unsupported(`${literal ?? 'nothing'}, where a date must be`);
  return time;
}

function unsupported(what: string): UnsupportedFilterError {
  return new UnsupportedFilterError(`Invalid filter clause: ${what}; ${SUPPORTED}`);
}
