/* What people see. */

/** Controls, and characters that are not seen or turn others round. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text that can do nothing to a terminal, whoever wrote it: what a bot wrote, too. Lines and tabs stay. */
export function fitForTerminal(text: string): string {
  return text.replaceAll(UNSEEN, (character) => {
    if (character === '\n' || character === '\t') return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** Columns as wide as what is in them; the last is not padded. */
export function tableOf(
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

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 min`: how long ago, in one unit. */
export function ageOf(time: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(time));
  const [unitMs, unit] = UNITS.find(([least]) => ms >= least) ?? [1_000, 's'];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

export function megabytesOf(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
