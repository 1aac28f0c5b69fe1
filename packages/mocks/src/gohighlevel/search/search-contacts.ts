import { z } from 'zod';
import { complaintsOf } from '../../wire/complaints.ts';
import type { Json } from '../../wire/message.ts';
import { RequestRefusedError } from '../../wire/request-refused-error.ts';
import type { Entry } from '../contact-book.ts';
import { compileFilters, FilterProblemError, type Predicate } from './filters.ts';
import { ContactOrder, type Cursor, type SortKey } from './order.ts';
import { badRequest, unprocessable } from '../replies.ts';
import { searchableField } from './searchable-fields.ts';
import type { StoredContact } from '../stored-contact.ts';

const LARGEST_PAGE = 500;
/** Beyond these, pages end and only `searchAfter` goes on. */
const LAST_BY_PAGE = 10_000;
const LONGEST_QUERY = 75;

const Cursor = z.array(z.union([z.string(), z.number(), z.null()])).min(1);

const SearchRequest = z.strictObject({
  locationId: z.string('should not be empty').min(1, 'should not be empty'),
  pageLimit: z
    .int('must be an integer number')
    .min(1, 'must not be less than 1')
    .max(LARGEST_PAGE, `must not be greater than ${LARGEST_PAGE}`),
  page: z.int('must be an integer number').min(1, 'must not be less than 1').optional(),
  searchAfter: Cursor.optional(),
  filters: z.array(z.unknown(), 'must be an array').default([]),
  sort: z
    .array(
      z.strictObject({
        field: z.string('must be a string'),
        direction: z.enum(['asc', 'desc'], 'must be one of the following values: asc, desc'),
      }),
      'must be an array',
    )
    .default([]),
  query: z
    .string('must be a string')
    .max(LONGEST_QUERY, `must be shorter than or equal to ${LONGEST_QUERY} characters`)
    .optional(),
});
export type SearchRequest = z.output<typeof SearchRequest>;

/** @throws {RequestRefusedError} 422 */
export function readSearch(body: unknown): SearchRequest {
  const result = SearchRequest.safeParse(body);
  if (!result.success) throw new RequestRefusedError(unprocessable(complaintsOf(result.error)));
  const { page, pageLimit, searchAfter } = result.data;
  const complaint =
    page !== undefined && searchAfter
      ? 'page should not exist beside searchAfter'
      : (page ?? 1) * pageLimit > LAST_BY_PAGE
        ? `page must not reach beyond ${LAST_BY_PAGE} records; use searchAfter`
        : undefined;
  if (complaint !== undefined) throw new RequestRefusedError(unprocessable([complaint]));
  return result.data;
}

/** Newest first, when nothing is said. */
const DEFAULT_SORT: readonly SortKey[] = [{ field: 'dateAdded', direction: 'desc' }];

export interface Found {
  readonly contact: StoredContact;
  readonly searchAfter: readonly Json[];
}

/**
 * The contacts of one page, and how many there are in all.
 * @param entries Oldest first.
 * @param placeOf The place of a contact in that order, for `searchAfter`.
 * @throws {RequestRefusedError} 400 for what cannot be searched by.
 */
export function searchContacts(
  entries: readonly Entry[],
  request: SearchRequest,
  { placeOf, traceId }: { placeOf: (id: string) => number | undefined; traceId: string },
): { total: number; found: readonly Found[] } {
  const { pageLimit, page = 1, searchAfter, query, filters } = request;
  const holds = understand(() => compileFilters(filters), traceId);
  const words = (query ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const matches =
    filters.length === 0 && words.length === 0
      ? entries
      : entries.filter((entry) => holds(entry) && hasWords(entry.contact, words));
  const sort = request.sort.length > 0 ? request.sort : DEFAULT_SORT;
  for (const { field } of sort) {
    if (!searchableField(field)) throw invalidField(field, traceId);
  }
  const order = new ContactOrder(sort);
  const cursor = searchAfter && cursorOf(searchAfter, sort, placeOf, traceId);
  const skipped = cursor ? 0 : (page - 1) * pageLimit;
  const inOrder = order.first(matches, skipped + pageLimit, cursor).slice(skipped);
  return {
    total: matches.length,
    found: inOrder.map(({ entry: { contact }, keys }) => ({
      contact,
      searchAfter: [...keys, contact.id],
    })),
  };
}

function understand(compile: () => Predicate, traceId: string): Predicate {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof FilterProblemError)) throw error;
    const { problem } = error;
    if (problem.kind === 'unknown field') throw invalidField(problem.field, traceId);
    throw new RequestRefusedError(badRequest(problem.complaint, { traceId }));
  }
}

function invalidField(field: string, traceId: string): RequestRefusedError {
  return new RequestRefusedError(badRequest(`Invalid field ${field}`, { traceId }));
}

function cursorOf(
  searchAfter: readonly (string | number | null)[],
  sort: readonly SortKey[],
  placeOf: (id: string) => number | undefined,
  traceId: string,
): Cursor {
  const keys = searchAfter.slice(0, -1);
  const id = searchAfter.at(-1);
  const order = typeof id === 'string' ? placeOf(id) : undefined;
  if (keys.length === sort.length && order !== undefined) return { keys, order };
  throw new RequestRefusedError(
    badRequest('searchAfter does not come from an answer to this search', { traceId }),
  );
}

/** Whether every word is somewhere in name, addresses or company. */
export function hasWords(contact: StoredContact, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = textOf(contact);
  return words.every((word) => text.includes(word));
}

/** Contacts are replaced, never changed, so what was put together once stays right. */
const texts = new WeakMap<StoredContact, string>();

function textOf(contact: StoredContact): string {
  const known = texts.get(contact);
  if (known !== undefined) return known;
  const { name = '', email = '', phone = '', companyName = '' } = contact;
  const text = `${name}\n${email}\n${phone}\n${companyName}`.toLowerCase();
  texts.set(contact, text);
  return text;
}
