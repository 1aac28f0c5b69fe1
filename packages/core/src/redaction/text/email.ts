import { isAlphanumeric, isWordOrDot } from './characters.ts';
import type { Span } from './span.ts';

const LONGEST_LOCAL_PART = 64;
const LONGEST_DOMAIN = 255;
/** A label of two or more characters that is not the first: `example.com`, not `a@b` or `a@1.2`. */
const DOTTED = /\.[\w-]{2}/;

/** An e-mail address around the `@` at `at`, no part of it before `from`. */
export function findEmail(text: string, at: number, from: number): Span | undefined {
  let start = at;
  while (start > from && at - start < LONGEST_LOCAL_PART && isLocal(text, start - 1)) start -= 1;
  if (start === at) return undefined;
  let end = at + 1;
  while (end < text.length && end - at <= LONGEST_DOMAIN && isWordOrDot(text, end)) end += 1;
  while (end > at && !isAlphanumeric(text, end - 1)) end -= 1;
  const domain = text.slice(at + 1, end);
  if (domain.startsWith('.') || !DOTTED.test(domain)) return undefined;
  return { label: 'email', start, end };
}

/** The characters that addresses are made of in practice. RFC 5322 allows more, such as `=` and `/`, which mean other things here. */
function isLocal(text: string, at: number): boolean {
  return isWordOrDot(text, at) || text[at] === '+';
}
