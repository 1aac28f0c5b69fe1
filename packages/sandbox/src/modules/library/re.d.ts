/** Python's re. Patterns are Python's (as strings; mind String.raw) or RegExps; flags are letters: 'i', 'm', 's'. */
export const I: string, M: string, S: string, IGNORECASE: string, MULTILINE: string, DOTALL: string;
type Replacement = string | ((match: Match) => string);
export class Match {
  group(): string;
  group(key: number | string): string | null;
  group(...keys: (number | string)[]): (string | null)[];
  groups(missing?: string | null): (string | null)[];
  groupdict(missing?: string | null): Record<string, string | null>;
  start(): number;
  end(): number;
  span(): [number, number];
}
export class Pattern {
  constructor(pattern: string | RegExp, flags?: string);
  readonly pattern: string;
  match(text: string): Match | null;
  fullmatch(text: string): Match | null;
  search(text: string): Match | null;
  findall(text: string): string[] | string[][];
  finditer(text: string): Generator<Match>;
  sub(replacement: Replacement, text: string, count?: number): string;
  split(text: string, maxsplit?: number): (string | null)[];
}
export function compile(pattern: string | RegExp | Pattern, flags?: string): Pattern;
/** At the start of the text only. */
export function match(
  pattern: string | RegExp | Pattern,
  text: string,
  flags?: string,
): Match | null;
export function fullmatch(
  pattern: string | RegExp | Pattern,
  text: string,
  flags?: string,
): Match | null;
export function search(
  pattern: string | RegExp | Pattern,
  text: string,
  flags?: string,
): Match | null;
export function findall(
  pattern: string | RegExp | Pattern,
  text: string,
  flags?: string,
): string[] | string[][];
export function finditer(
  pattern: string | RegExp | Pattern,
  text: string,
  flags?: string,
): Generator<Match>;
/** In a replacement `\1` and `\g<name>` stand for groups. */
export function sub(
  pattern: string | RegExp | Pattern,
  by: Replacement,
  text: string,
  options?: { count?: number; flags?: string },
): string;
export function split(
  pattern: string | RegExp | Pattern,
  text: string,
  options?: { maxsplit?: number; flags?: string },
): (string | null)[];
export function escape(text: string): string;
