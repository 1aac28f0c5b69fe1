import { GREATER_THAN, LESS_THAN, SLASH } from './characters.ts';
import type { Span } from './span.ts';

/** What stands in the element whose name is the word from `start` to `end`: `<password>hunter2</password>`. */
export function findElementText(
  text: string,
  start: number,
  end: number,
  label: string,
): Span | undefined {
  if (text.charCodeAt(start - 1) !== LESS_THAN || text.charCodeAt(end) !== GREATER_THAN) {
    return undefined;
  }
  const from = end + 1;
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== LESS_THAN) at += 1;
  // `login <token> now` is how a manual writes: only an element that is closed holds a value.
  if (at === from || text.charCodeAt(at + 1) !== SLASH) return undefined;
  const isClosed = text.startsWith(`${text.slice(start, end)}>`, at + 2);
  return isClosed ? { label, start: from, end: at } : undefined;
}
