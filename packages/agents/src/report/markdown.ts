/**
 * Text from outside as Markdown that shows it and does nothing else: on one line, no markup, no HTML, no links.
 *
 * Special characters become numeric entities, for an entity is never syntax, while a backslash before `|` is read
 * differently by different parsers.
 * @example
 * plain('a | b\n<script>'); // 'a &#124; b &#60;script&#62;'
 */
export function plain(text: string, maxLength = 300): string {
  return shortened(oneLine(text), maxLength)
    .replaceAll(/[&<>|`*[\]\\~$]/gu, entity)
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, entity) // inside a word it means nothing
    .replace(/^[-+#=]|^\d(?=\d*[.)])/u, entity) // neither a list nor a heading
    .replaceAll('://', '&#58;//') // no link of its own
    .replaceAll(/(?<=www)\./giu, entity)
    .replaceAll('@', entity);
}

/** A name, such as the id of a task: as code when nothing in it could end the code, else plain. */
export function name(text: string): string {
  return /^[\w.:/@+-]{1,100}$/u.test(text) ? `\`${text}\`` : plain(text, 100);
}

/** A column: its heading, and whether it holds numbers, which are flushed right. */
export type Column = string | { number: string };

/** A table; cells are Markdown already. With no rows there is none. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string | undefined {
  if (rows.length === 0) return undefined;
  const headings = columns.map((column) => (typeof column === 'string' ? column : column.number));
  const rules = columns.map((column) => (typeof column === 'string' ? '---' : '---:'));
  return [headings, rules, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Blocks of Markdown with an empty line between them; those that are undefined are left out. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u202a-\u202e\u2066-\u2069]/gu, '') // would turn the text around it
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}

function shortened(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength).toWellFormed()}…`;
}

function entity(character: string): string {
  return `&#${character.codePointAt(0)};`;
}
