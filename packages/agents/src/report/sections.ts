import { blocks, name, plain } from './markdown.ts';
import type { ReportData } from './report-data.ts';
import { capped } from './tables.ts';

/** What whoever runs the harness adds to the report. All text is shown as it is, and never read as Markdown. */
export interface ReportSection {
  title: string;
  /** In the order in which they are shown; a table without rows is left out. */
  parts: readonly ReportPart[];
  /** What a person should do about it, for the list at the top; null when there is nothing to do. */
  nextStep: string | null;
}

export type ReportPart =
  | { kind: 'text'; text: string }
  | {
      kind: 'table';
      columns: readonly ReportColumn[];
      /** A cell for each column. */
      rows: readonly (readonly string[])[];
      /** Where all rows are, for the report shows the first 50; null when nowhere. */
      file: string | null;
    };

/** Its heading, and what is in it: words, numbers (flushed right), or names such as the ids of tasks. */
export type ReportColumn = string | { number: string } | { name: string };

export function sections({ sections: all }: ReportData): string | undefined {
  if (all.length === 0) return undefined;
  return blocks(
    ...all.map(({ title, parts }) => blocks(`## ${plain(title)}`, ...parts.map(partOf))),
  );
}

function partOf(part: ReportPart): string | undefined {
  switch (part.kind) {
    case 'text':
      return plain(part.text, LONGEST_TEXT);
    case 'table': {
      const columns = part.columns.map((column) => {
        if (typeof column === 'string') return plain(column);
        return 'number' in column ? { number: plain(column.number) } : plain(column.name);
      });
      const rows = part.rows.map((cells) =>
        part.columns.map((column, at) => {
          const isName = typeof column === 'object' && 'name' in column;
          return (isName ? name : plain)(cells[at] ?? '');
        }),
      );
      return capped(columns, rows, part.file);
    }
  }
}

const LONGEST_TEXT = 2_000;
