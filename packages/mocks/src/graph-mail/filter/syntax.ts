/** A `$filter` that is not OData, or more of it than is understood here. Refusing is right: leaving a clause out would answer wrongly. */
export class UnsupportedFilterError extends Error {
  constructor(what: string) {
    super(`Invalid filter clause: ${what}`);
  }
}

const COMPARISONS = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof COMPARISONS)[number];

const TEXT_FUNCTIONS = ['contains', 'startswith', 'endswith'] as const;
type TextFunction = (typeof TEXT_FUNCTIONS)[number];

export type Literal =
  | { readonly kind: 'text'; readonly value: string }
  /** Whatever stands without quotes: a number, a date, true, null. Only the property tells which it must be. */
  | { readonly kind: 'bare'; readonly word: string };

/** What a filter says, before it is known whether its properties exist. */
export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly term: FilterNode }
  | {
      readonly kind: 'compare';
      readonly path: string;
      readonly by: Comparison;
      readonly to: Literal;
    }
  | { readonly kind: 'in'; readonly path: string; readonly literals: readonly Literal[] }
  | {
      readonly kind: 'call';
      readonly name: TextFunction;
      readonly path: string;
      readonly text: Literal;
    }
  | {
      readonly kind: 'any';
      readonly path: string;
      /** Left out: whether there is any element at all. */
      readonly lambda?: { readonly variable: string; readonly term: FilterNode };
    };

const MAX_LENGTH = 20_000;
const MAX_TOKENS = 2_000;
const MAX_DEPTH = 40;

/**
 * Reads a filter. Time and depth are bounded, whatever is sent.
 * @throws {UnsupportedFilterError} Quoting what is not understood.
 */
export function parseFilter(filter: string): FilterNode {
  if (filter.length > MAX_LENGTH) throw new UnsupportedFilterError('it is too long');
  const tokens = new Tokens(filter);
  const node = parseOr(tokens, 0);
  const rest = tokens.peek();
  if (rest !== undefined) throw new UnsupportedFilterError(`"${rest}" is not expected there`);
  return node;
}

/** A quoted text, in which a quote is written twice; a bracket or comma; or anything up to the next of these. */
const TOKEN = /\s*('(?:[^']|'')*'|[(),]|[^\s'(),]+)/gy;

class Tokens {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(filter: string) {
    const text = filter.trimEnd();
    let end = 0;
    for (const match of text.matchAll(TOKEN)) {
      this.#tokens.push(match[1] ?? '');
      end = match.index + match[0].length;
      if (this.#tokens.length > MAX_TOKENS) throw new UnsupportedFilterError('it is too complex');
    }
    if (end < text.length) {
      throw new UnsupportedFilterError('there is an unterminated text literal');
    }
  }

  peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  take(wanted: string): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new UnsupportedFilterError(`${wanted} is missing at the end`);
    this.#at += 1;
    return token;
  }

  expect(token: string): void {
    const taken = this.take(`"${token}"`);
    if (taken !== token) {
      throw new UnsupportedFilterError(`"${taken}" is where "${token}" must be`);
    }
  }

  takeIf(token: string): boolean {
    if (this.peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  /** Puts `rest` in the place of the token just taken, of which it is what is left. */
  giveBack(rest: string): void {
    if (rest === '') return;
    this.#at -= 1;
    this.#tokens[this.#at] = rest;
  }
}

function parseOr(tokens: Tokens, depth: number): FilterNode {
  return parseJoined(tokens, depth, 'or', parseAnd);
}

function parseAnd(tokens: Tokens, depth: number): FilterNode {
  return parseJoined(tokens, depth, 'and', parseTerm);
}

function parseJoined(
  tokens: Tokens,
  depth: number,
  kind: 'and' | 'or',
  parse: (tokens: Tokens, depth: number) => FilterNode,
): FilterNode {
  const first = parse(tokens, depth);
  if (tokens.peek() !== kind) return first;
  const terms = [first];
  while (tokens.takeIf(kind)) terms.push(parse(tokens, depth));
  return { kind, terms };
}

function parseTerm(tokens: Tokens, depth: number): FilterNode {
  if (depth > MAX_DEPTH) throw new UnsupportedFilterError('it is nested too deeply');
  if (tokens.takeIf('(')) {
    const inner = parseOr(tokens, depth + 1);
    tokens.expect(')');
    return inner;
  }
  const word = tokens.take('a property');
  if (word === 'not') return { kind: 'not', term: parseNegated(tokens, depth + 1) };
  if (tokens.peek() === '(') return parseCall(word, tokens, depth + 1);
  return parseComparison(pathOf(word), tokens);
}

/** `not` binds tighter than `eq`: without brackets it would negate the property alone, which nobody means. */
function parseNegated(tokens: Tokens, depth: number): FilterNode {
  if (tokens.peek() === '(') return parseTerm(tokens, depth);
  const word = tokens.take('"(" or a function');
  if (tokens.peek() !== '(') {
    throw new UnsupportedFilterError(
      `"not" before "${word}" needs brackets around what it negates`,
    );
  }
  return parseCall(word, tokens, depth);
}

function parseCall(word: string, tokens: Tokens, depth: number): FilterNode {
  const call = word.endsWith('/any')
    ? parseAny(pathOf(word.slice(0, -'/any'.length)), tokens, depth)
    : parseTextFunction(word, tokens);
  const by = tokens.peek();
  if (by !== 'eq' && by !== 'ne') return call;
  tokens.expect(by);
  const truth = tokens.take('true or false');
  if (truth !== 'true' && truth !== 'false') {
    throw new UnsupportedFilterError(`"${truth}" is where true or false must be`);
  }
  return (truth === 'true') === (by === 'eq') ? call : { kind: 'not', term: call };
}

function parseTextFunction(word: string, tokens: Tokens): FilterNode {
  const name = TEXT_FUNCTIONS.find((known) => known === word.toLowerCase());
  if (name === undefined) {
    throw new UnsupportedFilterError(`the function "${word}" is not supported`);
  }
  tokens.expect('(');
  const path = pathOf(tokens.take('a property'));
  tokens.expect(',');
  const text = literalOf(tokens.take('a quoted text'));
  tokens.expect(')');
  return { kind: 'call', name, path, text };
}

const LAMBDA = /^([A-Za-z_]\w*):/;

function parseAny(path: string, tokens: Tokens, depth: number): FilterNode {
  tokens.expect('(');
  if (tokens.takeIf(')')) return { kind: 'any', path };
  const word = tokens.take('a lambda variable');
  const variable = LAMBDA.exec(word)?.[1];
  if (variable === undefined) {
    throw new UnsupportedFilterError(`"${word}" is where a variable and a colon must be`);
  }
  tokens.giveBack(word.slice(variable.length + 1));
  const term = parseOr(tokens, depth);
  tokens.expect(')');
  return { kind: 'any', path, lambda: { variable, term } };
}

function parseComparison(path: string, tokens: Tokens): FilterNode {
  const operator = tokens.take('an operator');
  if (operator === 'in') return { kind: 'in', path, literals: parseList(tokens) };
  const by = COMPARISONS.find((known) => known === operator);
  if (by === undefined) {
    throw new UnsupportedFilterError(`the operator "${operator}" is not supported`);
  }
  return { kind: 'compare', path, by, to: literalOf(tokens.take('a value')) };
}

function parseList(tokens: Tokens): readonly Literal[] {
  tokens.expect('(');
  const literals = [literalOf(tokens.take('a value'))];
  while (tokens.takeIf(',')) literals.push(literalOf(tokens.take('a value')));
  tokens.expect(')');
  return literals;
}

const PATH = /^[A-Za-z_]\w*(?:\/[A-Za-z_]\w*)*$/;

function pathOf(word: string): string {
  if (PATH.test(word)) return word;
  throw new UnsupportedFilterError(`"${word}" is where a property must be`);
}

function literalOf(token: string): Literal {
  if (token.startsWith("'")) {
    return { kind: 'text', value: token.slice(1, -1).replaceAll("''", "'") };
  }
  if (token === '(' || token === ')' || token === ',') {
    throw new UnsupportedFilterError(`"${token}" is where a value must be`);
  }
  return { kind: 'bare', word: token };
}
