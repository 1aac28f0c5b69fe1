import type { DatabaseSync } from 'node:sqlite';
import type { Actor, Clock } from '@buddy/core';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import { prepared } from '../ledger/prepared.ts';
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
  readonly #clock: Pick<Clock, 'now'>;
  /** By actor and action, when last. */
  readonly #unlogged = new Map<string, Map<string, number>>();

  constructor(ledger: Ledger, clock: Pick<Clock, 'now'>) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  hasDone(actor: Actor, matches: (action: string) => boolean, since: number): boolean {
    return this.#ledger.read((database) => this.#hasDone(database, actor, matches, since));
  }

  #hasDone(
    database: DatabaseSync,
    actor: Actor,
    matches: (action: string) => boolean,
    since: number,
  ): boolean {
    const key = keyOf(actor);
    for (const [action, at] of this.#unlogged.get(key) ?? [])
      if (at >= since && matches(action)) return true;
    const select = 'SELECT action FROM action_history WHERE actor = ? AND last_at >= ?';
    const rows = prepared(database, select).all(key, since);
    return rows.some(({ action }) => typeof action === 'string' && matches(action));
  }

  /** As it is seen from within a transaction: with what it, and others of its group, have noted. */
  within({ database }: Pick<LedgerTransaction, 'database'>): ActionHistory {
    return {
      hasDone: (actor, matches, since) => this.#hasDone(database, actor, matches, since),
    };
  }

  /** For what was done while nothing could be written. Returns when. */
  noteUnlogged(actor: Actor, action: string): number {
    const at = this.#clock.now();
    const key = keyOf(actor);
    const known = this.#unlogged.get(key) ?? new Map<string, number>();
    this.#unlogged.set(key, known.set(action, at));
    return at;
  }

  note(
    { database, at: now }: LedgerTransaction,
    actor: Actor,
    action: string,
    at: number = now,
  ): void {
    prepared(
      database,
      `INSERT INTO action_history (actor, action, last_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)`,
    ).run(keyOf(actor), action, at);
  }
}

function keyOf({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}
