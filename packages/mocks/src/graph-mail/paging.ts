import type { Json } from '../wire/message.ts';
import { countOf, type Query, wholeNumberOf } from './odata-query.ts';
import type { RequestContext } from './request-context.ts';

const LARGEST_PAGE = 1_000;
const FARTHEST = 999_999_999;

/** How a list is cut into pages and written. */
interface Paging<Item> {
  readonly context: RequestContext;
  readonly entitySet: string;
  readonly defaultPage: number;
  readonly cursor: '$skip' | '$skiptoken';
  readonly write: (item: Item) => Json;
}

/** One page of what was found, with a link to the next. @throws {GraphRefusal} */
export function page<Item>(
  found: readonly Item[],
  query: Query,
  { context, entitySet, defaultPage, cursor, write }: Paging<Item>,
): Json {
  const top = wholeNumberOf(query, '$top', { from: 1, to: LARGEST_PAGE, otherwise: defaultPage });
  const skip = wholeNumberOf(query, cursor, { from: 0, to: FARTHEST, otherwise: 0 });
  const next = skip + top;
  return {
    '@odata.context': contextUrl(context, entitySet),
    ...(countOf(query) && { '@odata.count': found.length }),
    value: found.slice(skip, next).map(write),
    ...(next < found.length && { '@odata.nextLink': nextLink(context, cursor, next) }),
  };
}

/** The same request, from there on; `URLSearchParams` writes `$` as `%24`, as Graph does. */
function nextLink({ request }: RequestContext, cursor: string, next: number): string {
  const query = new URLSearchParams(
    [...request.query].filter(([name]) => name.toLowerCase() !== cursor),
  );
  query.set(cursor, String(next));
  return `${request.origin}${request.path}?${query.toString()}`;
}

/** What an answer holds, for who reads the metadata. */
export function contextUrl({ request }: RequestContext, entitySet: string): string {
  return `${request.origin}/v1.0/$metadata#${entitySet}`;
}

export function selectionText(select: readonly string[] | undefined): string {
  return select === undefined ? '' : `(${select.join(',')})`;
}

/** The chosen properties and the annotations. */
export function selected(
  entity: Readonly<Record<string, Json>>,
  select: readonly string[] | undefined,
  ...always: readonly string[]
): Readonly<Record<string, Json>> {
  if (select === undefined) return entity;
  const wanted = new Set([...select, ...always]);
  return Object.fromEntries(
    Object.entries(entity).filter(([name]) => wanted.has(name) || name.startsWith('@odata.')),
  );
}
