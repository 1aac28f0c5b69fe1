/** Controls, and characters that are not seen or turn others round. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text that can do nothing to a terminal, whoever wrote it: what is not seen is shown by its code. Lines and tabs stay.
 * @example
 * fitForTerminal('red: \u001B[31m'); // 'red: \u{1b}[31m'
 */
export function fitForTerminal(text: string): string {
  return text.replaceAll(UNSEEN, (character) => {
    if (character === '\n' || character === '\t') return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/**
 * Lines with columns as wide as what is in them; the last is not padded. A cell is one line, `-` when it is empty, and fit
 * for a terminal.
 * @example
 * textTable(['BOT', 'RUNS'], [['mailer', 2]]); // 'BOT     RUNS\nmailer  2\n'
 */
export function textTable(
  heads: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  const cells = [heads, ...rows].map((row) => row.map((cell) => inOneLine(cell)));
  const widths = heads.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function inOneLine(cell: string | number | undefined): string {
  return fitForTerminal(String(cell ?? '-').replaceAll(/\s+/g, ' ')) || '-';
}
