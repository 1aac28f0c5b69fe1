import { isDigit, isLower } from './characters.ts';

/** A part of a text that must not be shown, and what it is. */
export interface Span {
  label: string;
  start: number;
  end: number;
}

const OPENING = '[redacted:';
const LETTER_R = 0x72;
const LONGEST_LABEL = 32;

/** What is written in the place of a secret. */
export function marker(label: string): string {
  return `${OPENING}${label}]`;
}

/** Where the marker that starts at `at` ends, or -1: what was redacted once is left alone. */
export function endOfMarker(text: string, at: number): number {
  // The second letter first: most brackets open something else, and startsWith is slow to say so.
  if (text.charCodeAt(at + 1) !== LETTER_R || !text.startsWith(OPENING, at)) return -1;
  const start = at + OPENING.length;
  for (let i = start; i <= start + LONGEST_LABEL; i += 1) {
    if (!isLower(text, i) && !isDigit(text, i) && text[i] !== '-') {
      return text[i] === ']' && i > start ? i + 1 : -1;
    }
  }
  return -1;
}
