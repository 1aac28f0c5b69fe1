/** Python's string: constants, Template, and str.format. */
export const ascii_lowercase: string, ascii_uppercase: string, ascii_letters: string;
export const digits: string, hexdigits: string;
export const punctuation: string, whitespace: string;
export function capwords(text: string, separator?: string): string;
/** `$name` and `${name}`; `$$` is a dollar. */
export class Template {
  constructor(template: string);
  readonly template: string;
  substitute(values?: Record<string, unknown>): string;
  safe_substitute(values?: Record<string, unknown>): string;
}
/** `format('{0:>8} {total:,.2f}', 'sum', { total: 1234.5 })`; names are looked up in the last argument. */
export function format(template: string, ...args: unknown[]): string;
/** One value by a format specification, such as `08.3f`, `,`, `x`, `.1%`. */
export function formatValue(value: unknown, spec: string): string;
