const LINES_AROUND = 2;
const MAX_LINE_CHARS = 160;

/** The lines around a place, the line itself marked; empty when there is no such line. */
export function codeFrame(code: string, line: number | null, column: number | null): string {
  const lines = code.split(/\r\n|[\n\r\u2028\u2029]/);
  if (line === null || line < 1 || line > lines.length) return '';
  const first = Math.max(1, line - LINES_AROUND);
  const shown = lines.slice(first - 1, line + LINES_AROUND);
  const width = String(first + shown.length - 1).length;
  return shown
    .flatMap((text, index) => {
      const number = first + index;
      const mark = number === line ? '>' : ' ';
      const row = `${mark} ${String(number).padStart(width)} | ${text.slice(0, MAX_LINE_CHARS)}`;
      if (number !== line || column === null || column > MAX_LINE_CHARS) return [row];
      return [row, `  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1))}^`];
    })
    .join('\n');
}
