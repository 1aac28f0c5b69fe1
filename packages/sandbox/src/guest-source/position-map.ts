import { LINE_BREAK } from './code-frame.ts';
import type { ReadySource, SourcePosition } from './guest-source.ts';
import type { SourceEdit } from './source-edits.ts';

/**
 * What edits did to the columns of a text, whose lines they keep: for each edit its line, its column (both from 1, before
 * the edits), how many characters it took away and how many it put there. One flat array, for there may be tens of
 * thousands, and they cross to the host from the thread that made them.
 */
export type PositionMap = Int32Array<ArrayBuffer>;

/** @param edits In the order of the text, none inside another. */
export function positionMapOf(code: string, edits: readonly SourceEdit[]): PositionMap {
  const map = new Int32Array(edits.length * 4);
  const lineBreaks = code.matchAll(LINE_BREAK);
  let lineBreak = lineBreaks.next().value;
  let line = 1;
  let lineStart = 0;
  for (const [index, { start, end, text }] of edits.entries()) {
    while (lineBreak && lineBreak.index + lineBreak[0].length <= start) {
      line += 1;
      lineStart = lineBreak.index + lineBreak[0].length;
      lineBreak = lineBreaks.next().value;
    }
    map.set([line, start - lineStart + 1, end - start, text.length], index * 4);
  }
  return map;
}

/** The place in what the guest wrote, for a place in `source` (both from 1, as in a stack trace). */
export function originalPosition(
  { positions, columnOffset }: Pick<ReadySource, 'positions' | 'columnOffset'>,
  { line, column }: SourcePosition,
): SourcePosition {
  const added = line === 1 ? columnOffset : 0;
  return positionBefore(positions, { line, column: Math.max(1, column - added) });
}

function positionBefore(map: PositionMap, { line, column }: SourcePosition): SourcePosition {
  let shift = 0;
  for (let at = 0; at < map.length; at += 4) {
    const [editLine = 0, start = 0, removed = 0, inserted = 0] = map.subarray(at, at + 4);
    if (editLine < line) continue;
    if (editLine > line) break;
    const editedColumn = start + shift;
    if (editedColumn + inserted > column) {
      return { line, column: Math.max(1, Math.min(column, editedColumn) - shift) };
    }
    shift += inserted - removed;
  }
  return { line, column: Math.max(1, column - shift) };
}
