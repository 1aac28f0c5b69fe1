import { openReadOnly } from './audit-log.ts';

export interface ExportRange {
  /** The first entry's number. Default 0. */
  from?: number;
  /** The number after the last one's. Default: to the end. */
  to?: number;
}

/**
 * The records of the log, in its order and character for character: each is what a proof speaks of.
 * @throws {LedgerOpenError} When there is no ledger in the file.
 */
export function* readRecords(
  file: string,
  { from = 0, to = Number.MAX_SAFE_INTEGER }: ExportRange = {},
): Generator<string> {
  const database = openReadOnly(file);
  try {
    const select = database.prepare(
      'SELECT record FROM audit_entries WHERE seq >= ? AND seq < ? ORDER BY seq',
    );
    for (const { record } of select.iterate(from, to)) yield String(record);
  } finally {
    database.close();
  }
}
