import { LINE_BREAK } from './code-frame.ts';
import { type PositionMap, positionMapOf } from './position-map.ts';

export interface SourceEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface EditedSource {
  readonly text: string;
  readonly positions: PositionMap;
}

/**
 * Changes to a text, noted in any order by offsets in the original. Every change keeps the number of lines, so that a line
 * of a stack trace is a line of the guest's; a change inside a larger one is dropped with it.
 */
export class SourceEdits {
  readonly #edits: SourceEdit[] = [];

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  /** Replaces a range by spaces; its line breaks stay. */
  blank(code: string, start: number, end: number): void {
    this.replace(start, end, blanked(code.slice(start, end)));
  }

  apply(code: string): EditedSource {
    // Insertions go before a replacement that begins at the same place, larger ranges before those inside them.
    const order = this.#edits.toSorted(
      (a, b) =>
        a.start - b.start ||
        Number(a.end > a.start) - Number(b.end > b.start) ||
        (a.end > a.start ? b.end - a.end : 0),
    );
    const applied: SourceEdit[] = [];
    const parts: string[] = [];
    let cursor = 0;
    for (const edit of order) {
      if (edit.start < cursor) continue;
      parts.push(code.slice(cursor, edit.start), edit.text);
      applied.push(edit);
      cursor = edit.end;
    }
    parts.push(code.slice(cursor));
    return { text: parts.join(''), positions: positionMapOf(code, applied) };
  }
}

/** The text as spaces, with its line breaks: what came after keeps its line and column. */
export function blanked(text: string): string {
  return text.replaceAll(/[^\r\n\u2028\u2029]/g, ' ');
}

/** As many line breaks as a text holds. */
export function lineBreaksOf(text: string): string {
  return '\n'.repeat([...text.matchAll(LINE_BREAK)].length);
}
