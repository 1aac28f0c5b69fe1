import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import { prepared } from '../ledger/prepared.ts';

export const ASKED_REASONS_MIGRATION: Migration = {
  id: 'gate-asked-reasons-1',
  sql: `
  CREATE TABLE asked_reasons (
    approval_id TEXT PRIMARY KEY,
    rationale TEXT
  ) STRICT, WITHOUT ROWID;
`,
};

/** The reason that people were given with each request, in the form that the log keeps it in. */
export class AskedReasons {
  note({ database }: LedgerTransaction, approvalId: string, rationale: string | null): void {
    prepared(
      database,
      'INSERT OR REPLACE INTO asked_reasons (approval_id, rationale) VALUES (?, ?)',
    ).run(approvalId, rationale);
  }

  /** Whether what is now said is what was said then, and forgets it; undefined where nobody was asked beforehand. */
  compare(
    { database }: LedgerTransaction,
    approvalId: string,
    rationale: string | null,
  ): boolean | undefined {
    const row = prepared(
      database,
      'DELETE FROM asked_reasons WHERE approval_id = ? RETURNING rationale',
    ).get(approvalId);
    return row && row['rationale'] === rationale;
  }

  /** It has come to another end. */
  forget({ database }: LedgerTransaction, approvalId: string): void {
    prepared(database, 'DELETE FROM asked_reasons WHERE approval_id = ?').run(approvalId);
  }
}
