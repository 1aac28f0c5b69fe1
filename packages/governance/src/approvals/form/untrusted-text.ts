import { showUntrusted } from '../../untrusted/show-untrusted.ts';
import { type Markup, markup } from './markup.ts';

const MAX_CHARS = 2_000;
const MAX_LINES = 60;
/** What `showUntrusted` puts in the place of a character; it marks brackets of the text itself too, so these are ours. */
const MARKS = /(⟦U\+[0-9A-F]+⟧)/;

/** One line of a stranger's text: hidden characters are marks that stand out, its direction stays its own. */
export function strangeText(text: string, maxChars = MAX_CHARS): Markup {
  const parts = showUntrusted(text, { maxChars }).split(MARKS);
  const shown = parts.map((part, at) =>
    at % 2 === 1 ? markup`<mark>${part}</mark>` : markup`${part}`,
  );
  return markup`<bdi>${shown}</bdi>`;
}

/** A stranger's text with its line breaks, each of them marked, and cut where nobody would read on. */
export function strangeLines(text: string): Markup {
  const kept =
    text.length > MAX_CHARS ? text.slice(0, MAX_CHARS).replace(/[\uD800-\uDBFF]$/, '') : text;
  const lines = kept.split('\n').slice(0, MAX_LINES);
  const shown = lines.map((line, at) =>
    at === 0 ? strangeText(line) : markup`<span class="newline">↵</span>\n${strangeText(line)}`,
  );
  const leftOut = text.length - lines.join('\n').length;
  return markup`${shown}${leftOut > 0 && leftOutNote(leftOut)}`;
}

function leftOutNote(count: number): Markup {
  return markup` <strong class="warning">… ${count} more characters are not shown</strong>`;
}
