import type { WireRequest } from '../wire/message.ts';
import { badRequest } from './refusal.ts';

/** Which properties of each message are answered. */
export interface MessageSelection {
  readonly select?: readonly string[] | undefined;
  readonly expandsAttachments?: boolean;
}

const QUERY_OPTIONS = [
  '$top',
  '$skip',
  '$skiptoken',
  '$filter',
  '$search',
  '$select',
  '$orderby',
  '$count',
  '$expand',
] as const;
export type QueryOption = (typeof QUERY_OPTIONS)[number];

export type Query = ReadonlyMap<QueryOption, string>;

/** OData's own names, of which v1.0 takes some without the `$` at some addresses: nobody knows which. */
const ODATA_NAMES: ReadonlySet<string> = new Set([
  ...QUERY_OPTIONS.map((option) => option.slice(1)),
  'apply',
  'compute',
  'deltatoken',
  'format',
  'id',
  'index',
  'levels',
  'schemaversion',
]);

/**
 * The query options of a request; names in any case, other parameters left out as Graph leaves them.
 * @throws {GraphRefusal} For one that is unknown, repeated, not allowed here, or lacks its `$`.
 */
export function queryOf({ query }: WireRequest, allowed: readonly QueryOption[]): Query {
  const options = new Map<QueryOption, string>();
  for (const [given, value] of query) {
    const spelt = given.replaceAll(/\s/g, '').toLowerCase();
    if (ODATA_NAMES.has(spelt)) {
      throw badRequest(`The query option '${given}' is not supported here: write '$${spelt}'.`);
    }
    if (!spelt.startsWith('$')) continue;
    const name = allowed.find((one) => one === given.toLowerCase());
    if (name === undefined) {
      throw badRequest(`The query option '${given}' is not supported for this request.`);
    }
    if (options.has(name)) throw badRequest(`The query option '${given}' is given twice.`);
    options.set(name, value);
  }
  return options;
}

/** @throws {GraphRefusal} */
export function wholeNumberOf(
  query: Query,
  name: '$top' | '$skip' | '$skiptoken',
  { from, to, otherwise }: { from: number; to: number; otherwise: number },
): number {
  const text = query.get(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw badRequest(
    `Invalid value '${text}' for ${name} query option found. It must be a whole number from ${from} to ${to}.`,
  );
}

/** @throws {GraphRefusal} */
export function countOf(query: Query): boolean {
  const text = query.get('$count') ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw badRequest(`Invalid value '${text}' for $count query option found: it is true or false.`);
}

/** The selected properties; undefined when all that are given by default are. @throws {GraphRefusal} */
export function selectOf(
  query: Query,
  selectable: ReadonlySet<string>,
  type: string,
): readonly string[] | undefined {
  const text = query.get('$select');
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('*')) return undefined;
  for (const name of names) {
    if (!selectable.has(name)) {
      throw badRequest(
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type '${type}'.`,
      );
    }
  }
  return [...new Set(names)];
}

/** Of what could be expanded, a message's attachments are. @throws {GraphRefusal} */
export function expandsAttachments(query: Query): boolean {
  const text = query.get('$expand');
  if (text === undefined) return false;
  if (text === 'attachments') return true;
  throw badRequest(
    `Parsing OData Select and Expand failed: '$expand=${text}' is not supported; 'attachments' is.`,
  );
}

export interface Sorting<Item> {
  readonly paths: readonly string[];
  readonly compare: (a: Item, b: Item) => number;
}

export type SortKey<Item> = (item: Item) => string | number | boolean;

/** @throws {GraphRefusal} For a property that is not sorted by. */
export function sortingOf<Item>(
  query: Query,
  keys: ReadonlyMap<string, SortKey<Item>>,
): Sorting<Item> | undefined {
  const text = query.get('$orderby');
  if (text === undefined) return undefined;
  const terms = text.split(',').map((term) => sortTermOf(term, keys));
  return {
    paths: terms.map(({ path }) => path),
    compare: (a, b) => {
      for (const { of, sign } of terms) {
        const [left, right] = [of(a), of(b)];
        if (left !== right) return left < right ? -sign : sign;
      }
      return 0;
    },
  };
}

function sortTermOf<Item>(term: string, keys: ReadonlyMap<string, SortKey<Item>>) {
  const [path = '', direction = 'asc', ...more] = term.trim().split(/\s+/);
  const of = keys.get(path);
  if (!of || more.length > 0 || (direction !== 'asc' && direction !== 'desc')) {
    throw badRequest(`Invalid $orderby clause: '${term.trim()}' cannot be sorted by here.`);
  }
  return { path, of, sign: direction === 'asc' ? 1 : -1 };
}

/** The text of `$search`, out of its quotes. @throws {GraphRefusal} */
export function searchTextOf(query: Query): string | undefined {
  const text = query.get('$search')?.trim();
  if (text === undefined || !text.startsWith('"')) return text;
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(text)?.[1];
  if (inner === undefined) {
    throw badRequest(`Syntax error in '$search': ${text} is not one quoted text.`);
  }
  return inner.replaceAll(/\\(.)/gs, '$1');
}
