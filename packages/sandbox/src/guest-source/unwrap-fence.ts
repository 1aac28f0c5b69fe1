import { blanked } from './source-edits.ts';

export interface UnwrappedCode {
  /** The code on the lines on which it stood; everything around it is blank. */
  readonly code: string;
  /** What the fence called itself, in lower case: `ts`, `javascript`, or nothing. */
  readonly tag?: string;
}

/** Takes code out of its Markdown fence when the text begins with one; other text is code already. */
export function unwrapFence(text: string): UnwrappedCode {
  return /^\s*(?:`{3}|~{3})/.test(text)
    ? (onlyFencedBlock(text) ?? { code: text })
    : { code: text };
}

/** The one fenced block of an answer with prose around it. Undefined when there is none, or more than one. */
export function onlyFencedBlock(text: string): UnwrappedCode | undefined {
  // By lines, not by one regular expression: that takes minutes for a file of tildes.
  const lines = text.split('\n');
  const opening = lines.findIndex((line) => fenceOf(line) !== undefined);
  const fence = fenceOf(lines[opening] ?? '');
  if (fence === undefined) return undefined;
  const closing = lines.findIndex((line, index) => index > opening && line.trim() === fence.marks);
  const end = closing === -1 ? lines.length : closing;
  if (lines.slice(end + 1).some((line) => fenceOf(line) !== undefined)) return undefined;
  const code = lines.map((line, index) => (index > opening && index < end ? line : blanked(line)));
  return { code: code.join('\n'), ...(fence.tag !== '' && { tag: fence.tag.toLowerCase() }) };
}

function fenceOf(line: string): { marks: string; tag: string } | undefined {
  const text = line.trim();
  const mark = text.charAt(0);
  if (mark !== '`' && mark !== '~') return undefined;
  let width = 0;
  while (text.charAt(width) === mark) width += 1;
  const info = text.slice(width);
  if (width < 3 || info.includes('`')) return undefined;
  return { marks: text.slice(0, width), tag: /^\s*([\w+-]*)/.exec(info)?.[1] ?? '' };
}
