import {
  type Comparison,
  type FilterNode,
  type Literal,
  parseFilter,
  UnsupportedFilterError,
} from './syntax.ts';

type Predicate<Item> = (item: Item) => boolean;

/** A property that a filter may name, and what its values are. */
export type FilterProperty<Item> =
  /** Compared without regard to case, as Exchange does. */
  | { readonly kind: 'text'; readonly of: (item: Item) => string }
  /** An identifier: equal or not, case mattering. */
  | { readonly kind: 'id'; readonly of: (item: Item) => string }
  | {
      readonly kind: 'choice';
      readonly choices: readonly string[];
      readonly of: (item: Item) => string;
    }
  | { readonly kind: 'boolean'; readonly of: (item: Item) => boolean }
  | { readonly kind: 'number'; readonly of: (item: Item) => number }
  /** Ms since the epoch. */
  | { readonly kind: 'time'; readonly of: (item: Item) => number };

/** A property with many values, of which `any` may ask. */
export interface FilterCollection<Item> {
  compileAny(lambda: Lambda | undefined): Predicate<Item>;
}

type Lambda = NonNullable<Extract<FilterNode, { kind: 'any' }>['lambda']>;

/** What filters may name, by path: `from/emailAddress/address`. */
export interface Filterable<Item> {
  readonly properties: ReadonlyMap<string, FilterProperty<Item>>;
  readonly collections: ReadonlyMap<string, FilterCollection<Item>>;
}

export interface CompiledFilter<Item> {
  readonly test: Predicate<Item>;
  /** The properties it names, each once, in the order in which they stand. */
  readonly properties: readonly string[];
}

/**
 * Compiles an OData filter: `eq ne gt ge lt le in`, `and or not`, brackets, `contains startswith endswith`, `any`.
 * @throws {UnsupportedFilterError} Saying what is not understood.
 * @example
 * compileFilter("isRead eq false and contains(subject, 'Don''t')", MESSAGE_PROPERTIES).test(message);
 */
export function compileFilter<Item>(
  filter: string,
  filterable: Filterable<Item>,
): CompiledFilter<Item> {
  const node = parseFilter(filter);
  return { test: compile(node, filterable), properties: [...new Set(propertiesOf(node))] };
}

/** Many values of one kind, each with what may be asked of it; the path `''` is the value itself. */
export function collectionOf<Item, Element>(
  elementsOf: (item: Item) => readonly Element[],
  properties: ReadonlyMap<string, FilterProperty<Element>>,
): FilterCollection<Item> {
  return {
    compileAny: (lambda) => {
      if (lambda === undefined) return (item) => elementsOf(item).length > 0;
      const { variable, term } = lambda;
      const named = [...properties].map(
        ([path, property]) => [path === '' ? variable : `${variable}/${path}`, property] as const,
      );
      const fits = compile(term, { properties: new Map(named), collections: new Map() });
      return (item) => elementsOf(item).some(fits);
    },
  };
}

function compile<Item>(node: FilterNode, filterable: Filterable<Item>): Predicate<Item> {
  switch (node.kind) {
    case 'and': {
      const terms = node.terms.map((term) => compile(term, filterable));
      return (item) => terms.every((fits) => fits(item));
    }
    case 'or': {
      const terms = node.terms.map((term) => compile(term, filterable));
      return (item) => terms.some((fits) => fits(item));
    }
    case 'not': {
      const fits = compile(node.term, filterable);
      return (item) => !fits(item);
    }
    case 'compare':
      return compileComparison(propertyOf(node.path, filterable), node);
    case 'in': {
      const property = propertyOf(node.path, filterable);
      const equals = node.literals.map((to) =>
        compileComparison(property, { path: node.path, by: 'eq', to }),
      );
      return (item) => equals.some((fits) => fits(item));
    }
    case 'call':
      return compileTextFunction(node, filterable);
    case 'any': {
      const collection = filterable.collections.get(node.path);
      if (!collection) throw noSuchProperty(node.path);
      return collection.compileAny(node.lambda);
    }
  }
}

function propertyOf<Item>(path: string, { properties }: Filterable<Item>): FilterProperty<Item> {
  const property = properties.get(path);
  if (property) return property;
  throw noSuchProperty(path);
}

function noSuchProperty(path: string): UnsupportedFilterError {
  return new UnsupportedFilterError(`there is no property "${path}" to filter by here`);
}

type Compared = Pick<Extract<FilterNode, { kind: 'compare' }>, 'path' | 'by' | 'to'>;

function compileComparison<Item>(
  property: FilterProperty<Item>,
  { path, by, to }: Compared,
): Predicate<Item> {
  if (to.kind === 'bare' && to.word === 'null') return nullComparison(path, by);
  switch (property.kind) {
    case 'text': {
      const text = fold(textOf(path, to));
      const holds = HOLDS[by];
      return (item) => holds(fold(property.of(item)), text);
    }
    case 'id':
      return equality(property.of, textOf(path, to), path, by);
    case 'choice': {
      const choice = property.choices.find((one) => one === fold(textOf(path, to)));
      if (choice === undefined) throw unfit(path, to);
      return equality(property.of, choice, path, by);
    }
    case 'boolean':
      return equality(property.of, booleanOf(path, to), path, by);
    case 'number':
      return ordering(property.of, numberOf(path, to), by);
    case 'time':
      return ordering(property.of, timeOf(path, to), by);
  }
}

/** Nothing in this mailbox is null: what Graph leaves empty is an empty text or list here. */
function nullComparison(path: string, by: Comparison): () => boolean {
  if (by !== 'eq' && by !== 'ne') {
    throw new UnsupportedFilterError(`"${path} ${by} null" is never true`);
  }
  return () => by === 'ne';
}

type Holds = (left: string | number, right: string | number) => boolean;

const HOLDS: Readonly<Record<Comparison, Holds>> = {
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  gt: (left, right) => left > right,
  ge: (left, right) => left >= right,
  lt: (left, right) => left < right,
  le: (left, right) => left <= right,
};

function ordering<Item>(of: (item: Item) => number, to: number, by: Comparison): Predicate<Item> {
  const holds = HOLDS[by];
  return (item) => holds(of(item), to);
}

function equality<Item, Value>(
  of: (item: Item) => Value,
  to: Value,
  path: string,
  by: Comparison,
): Predicate<Item> {
  if (by === 'eq') return (item) => of(item) === to;
  if (by === 'ne') return (item) => of(item) !== to;
  throw new UnsupportedFilterError(`"${path}" can be compared by eq and ne only, not by ${by}`);
}

function compileTextFunction<Item>(
  { name, path, text }: Extract<FilterNode, { kind: 'call' }>,
  filterable: Filterable<Item>,
): Predicate<Item> {
  const property = propertyOf(path, filterable);
  if (property.kind !== 'text') {
    throw new UnsupportedFilterError(`${name} needs a text, and "${path}" is none`);
  }
  const part = fold(textOf(path, text));
  switch (name) {
    case 'contains':
      return (item) => fold(property.of(item)).includes(part);
    case 'startswith':
      return (item) => fold(property.of(item)).startsWith(part);
    case 'endswith':
      return (item) => fold(property.of(item)).endsWith(part);
  }
}

function fold(text: string): string {
  return text.toLowerCase();
}

function textOf(path: string, literal: Literal): string {
  if (literal.kind === 'text') return literal.value;
  throw unfit(path, literal);
}

function booleanOf(path: string, literal: Literal): boolean {
  if (literal.kind === 'bare' && literal.word === 'true') return true;
  if (literal.kind === 'bare' && literal.word === 'false') return false;
  throw unfit(path, literal);
}

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;

function numberOf(path: string, literal: Literal): number {
  if (literal.kind === 'bare' && NUMBER.test(literal.word)) return Number(literal.word);
  throw unfit(path, literal);
}

const DATE_TIME = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d))?$/;

function timeOf(path: string, literal: Literal): number {
  const [whole, date = ''] = (literal.kind === 'bare' && DATE_TIME.exec(literal.word)) || [];
  const time = Date.parse(whole ?? '');
  if (Number.isNaN(time) || !isInCalendar(date)) throw unfit(path, literal);
  return time;
}

/** `Date.parse` takes February the 30th for March the 2nd. */
function isInCalendar(date: string): boolean {
  return new Date(date).toISOString().startsWith(date);
}

function unfit(path: string, literal: Literal): UnsupportedFilterError {
  const given = literal.kind === 'text' ? `'${literal.value}'` : literal.word;
  return new UnsupportedFilterError(`${given} is no value for "${path}"`);
}

function* propertiesOf(node: FilterNode): Iterable<string> {
  switch (node.kind) {
    case 'and':
    case 'or':
      for (const term of node.terms) yield* propertiesOf(term);
      break;
    case 'not':
      yield* propertiesOf(node.term);
      break;
    case 'compare':
    case 'in':
    case 'call':
    case 'any':
      yield node.path;
  }
}
