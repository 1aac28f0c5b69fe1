import type { Actor } from '@buddy/core';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import type { ActionHistory } from '../policy/decision.ts';

export const HISTORY_MIGRATION: Migration = {
  id: 'gate-history-1',
  sql: `
  CREATE TABLE action_history (
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (actor, action)
  ) STRICT, WITHOUT ROWID;
`,
};

/** When each actor last did each action: what rules that say `after` ask. Kept in the ledger, so that it outlives us. */
export class GateHistory implements ActionHistory {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  hasDone(actor: Actor, matches: (action: string) => boolean, since: number): boolean {
    return this.#ledger.read((database) => {
      const select = 'SELECT action FROM action_history WHERE actor = ? AND last_at >= ?';
      const rows = database.prepare(select).all(keyOf(actor), since);
      return rows.some(({ action }) => typeof action === 'string' && matches(action));
    });
  }

  note({ database, at }: LedgerTransaction, actor: Actor, action: string): void {
    database
      .prepare(
        `INSERT INTO action_history (actor, action, last_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)`,
      )
      .run(keyOf(actor), action, at);
  }
}

function keyOf({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}
