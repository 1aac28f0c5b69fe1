import { isBlank, skip } from './characters.ts';
import type { Span } from './span.ts';

/** How YAML opens a value that stands on the lines below: `password: |` or `password: >-`. */
const OPENING = /[|>](?:[+-]\d?|\d[+-]?)?[ \t]{0,8}\r?\n/y;

/** The value that starts at `start`, when that is a block: all lines below that are indented at least as far as the first. */
export function findBlock(text: string, start: number, label: string): Span | undefined {
  OPENING.lastIndex = start;
  if (!OPENING.test(text)) return undefined;
  const firstLine = OPENING.lastIndex;
  const from = skip(text, firstLine, isBlank);
  const indent = text.slice(firstLine, from);
  if (indent === '') return undefined;
  let end = endOfLine(text, from);
  while (text.startsWith(indent, end + 1)) end = endOfLine(text, end + 1);
  return end > from ? { label, start: from, end } : undefined;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}
