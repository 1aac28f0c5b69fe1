import type { GuestSourceError, RejectedSource, SourcePosition } from './guest-source.ts';

const LINES_AROUND = 2;
const MAX_WIDTH = 120;
export const LINE_BREAK = /\r\n?|[\n\u2028\u2029]/g;

const errorNames = {
  syntax: 'SyntaxError',
  reference: 'ReferenceError',
  unsupported: 'UnsupportedSyntaxError',
} as const;

/** Refuses code at an offset, with line, column and frame filled in. */
export function reject(
  code: string,
  offset: number,
  { kind, message, hint }: Pick<GuestSourceError, 'kind' | 'message' | 'hint'>,
): RejectedSource {
  const position = positionAt(code, offset);
  const frame = codeFrame(code, position);
  return {
    kind: 'rejected',
    error: {
      kind,
      name: errorNames[kind],
      message,
      ...position,
      frame,
      ...(hint !== undefined && { hint }),
    },
  };
}

/** Line and column of an offset, both from 1. An offset beyond the end stands for the end. */
export function positionAt(code: string, offset: number): SourcePosition {
  let line = 1;
  let lineStart = 0;
  for (const lineBreak of code.matchAll(LINE_BREAK)) {
    const next = lineBreak.index + lineBreak[0].length;
    if (next > offset) break;
    line += 1;
    lineStart = next;
  }
  return { line, column: Math.min(offset, code.length) - lineStart + 1 };
}

/** The offset of a line and column, both from 1; the end of the code when it has no such line. */
export function offsetAt(code: string, { line, column }: SourcePosition): number {
  let current = 1;
  let lineStart = 0;
  for (const lineBreak of code.matchAll(LINE_BREAK)) {
    if (current === line) break;
    current += 1;
    lineStart = lineBreak.index + lineBreak[0].length;
  }
  return current === line ? Math.min(code.length, lineStart + column - 1) : code.length;
}

/**
 * The line with two more on either side, numbered, and a caret below the column. Long lines are cut around the column.
 * @example
 * codeFrame('const a = 1;\nreturn b;', { line: 2, column: 8 });
 * //   1 | const a = 1;
 * // > 2 | return b;
 * //     |        ^
 */
function codeFrame(code: string, { line, column }: SourcePosition): string {
  const first = Math.max(1, line - LINES_AROUND);
  const lines = code.split(LINE_BREAK).slice(first - 1, line + LINES_AROUND);
  const gutter = String(first + lines.length - 1).length;
  const from = Math.max(0, column - 1 - MAX_WIDTH / 2);
  return lines
    .flatMap((text, index) => {
      const number = first + index;
      const shown = text.slice(from, from + MAX_WIDTH).replaceAll(/\p{Cc}/gu, ' ');
      const marked = `${number === line ? '>' : ' '} ${String(number).padStart(gutter)} | ${shown}`;
      const caret = `  ${' '.repeat(gutter)} | ${' '.repeat(column - 1 - from)}^`;
      return number === line ? [marked, caret] : [marked];
    })
    .join('\n');
}
