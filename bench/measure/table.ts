import type { Figure } from './figure.ts';

export interface TableInput {
  title: string;
  seconds: number;
  figures: readonly (Figure & { isMet: boolean | null })[];
  error: string | null;
}

/** The figures of a bench for people: what was promised first, then what stands beside it. */
export function renderTable({ title, seconds, figures, error }: TableInput): string {
  const head = `${title} (took ${seconds.toFixed(0)} s)`;
  if (error !== null) return `${head}\n  BROKEN: ${error}`;
  const rows = [
    ['', 'target', 'measured', 'from - to', ''],
    ...figures.map(({ name, unit, measured, outcome, range, target, isPeer, isMet }) => [
      isPeer ? `  beside: ${name}` : name,
      target ? `${target.is === 'at most' ? '<=' : '>='} ${shown(target.value)} ${unit}` : '',
      [Number.isNaN(measured) ? '' : `${shown(measured)} ${unit}`, outcome ?? '']
        .filter((part) => part !== '')
        .join(', '),
      range ? `${shown(range[0])} - ${shown(range[1])}` : '',
      isMet === null ? '' : isMet ? 'met' : 'MISSED',
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return [head, ...lines.map((line) => `  ${line.trimEnd()}`)].join('\n');
}

function shown(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(3);
}
