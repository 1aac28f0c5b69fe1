/** Text that is HTML. Only `markup` makes it, and everything that goes into it is escaped. */
export class Markup {
  readonly #text: string;

  constructor(parts: TemplateStringsArray, values: readonly MarkupValue[]) {
    this.#text = parts.reduce((text, part, at) => text + rendered(values[at - 1]) + part);
  }

  toString(): string {
    return this.#text;
  }
}

export type MarkupValue = string | number | Markup | readonly Markup[] | false | null | undefined;

/**
 * The one way in which pages are made: what is put in is text, unless it was made by `markup` itself. For text and for
 * attributes in double quotes, and nowhere else.
 * @example
 * markup`<p title="${title}">${text}</p>`;
 */
export function markup(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  return new Markup(parts, values);
}

function rendered(value: MarkupValue): string {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  if (value instanceof Markup) return value.toString();
  return value.map(String).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
