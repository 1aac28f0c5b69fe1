/** `\n` and its like in JSON and source code, `%20` in a URL, the colours of a terminal. */
// oxlint-disable-next-line no-control-regex
const ESCAPE = /\\[nrtbf]|\\u[\da-f]{4}|%[\da-f]{2}|\u001B\[[\d;]{0,16}[a-z]/iy;

/** Where the escape at `at` ends. Its letters and digits are no part of the word behind it: `%20ghp_…`, `\nghp_…`. */
export function endOfEscape(text: string, at: number): number {
  ESCAPE.lastIndex = at;
  return ESCAPE.test(text) ? ESCAPE.lastIndex : at + 1;
}
