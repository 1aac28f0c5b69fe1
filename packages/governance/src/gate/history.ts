import type { DatabaseSync } from 'node:sqlite';
import type { Actor, Clock } from '@buddy/core';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import { prepared } from '../ledger/prepared.ts';
import type { Migration } from '../ledger/migrations.ts';
import type { ActionHistory, HasDone } from '../policy/decision.ts';

export const HISTORY_MIGRATIONS: readonly Migration[] = [
  {
    id: 'gate-history-1',
    sql: `
  CREATE TABLE action_history (
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (actor, action)
  ) STRICT, WITHOUT ROWID;
`,
  },
  {
    // Of what was noted before, nobody knows whether it succeeded.
    id: 'gate-history-2',
    sql: 'ALTER TABLE action_history ADD COLUMN succeeded_at INTEGER',
  },
];

type Stage = 'begun' | 'succeeded';

/** When an actor last began an action, and when it last succeeded; ms since the epoch. */
interface Last {
  begunAt: number;
  succeededAt: number | undefined;
}

/** When each actor last did each action: what rules that say `after` ask. Kept in the ledger, so that it outlives us. */
export class GateHistory implements ActionHistory {
  readonly #ledger: Ledger;
  readonly #clock: Pick<Clock, 'now'>;
  /** By actor and action. */
  readonly #unlogged = new Map<string, Map<string, Last>>();

  constructor(ledger: Ledger, clock: Pick<Clock, 'now'>) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  hasDone(actor: Actor, matches: (action: string) => boolean, since: number): HasDone {
    return this.#ledger.read((database) => this.#hasDone(database, actor, matches, since));
  }

  #hasDone(
    database: DatabaseSync,
    actor: Actor,
    matches: (action: string) => boolean,
    since: number,
  ): HasDone {
    const key = keyOf(actor);
    let answer: HasDone = false;
    for (const [action, { begunAt, succeededAt }] of this.#unlogged.get(key) ?? []) {
      if (begunAt < since || !matches(action)) continue;
      if (succeededAt !== undefined && succeededAt >= since) return true;
      answer = 'begun';
    }
    const select =
      'SELECT action, succeeded_at FROM action_history WHERE actor = ? AND last_at >= ?';
    for (const { action, succeeded_at: succeededAt } of prepared(database, select).all(
      key,
      since,
    )) {
      if (typeof action !== 'string' || !matches(action)) continue;
      if (typeof succeededAt === 'number' && succeededAt >= since) return true;
      answer = 'begun';
    }
    return answer;
  }

  /** As it is seen from within a transaction: with what it, and others of its group, have noted. */
  within({ database }: Pick<LedgerTransaction, 'database'>): ActionHistory {
    return {
      hasDone: (actor, matches, since) => this.#hasDone(database, actor, matches, since),
    };
  }

  /** For what was done while nothing could be written. Returns when. */
  noteUnlogged(actor: Actor, action: string, stage: Stage): number {
    const at = this.#clock.now();
    const key = keyOf(actor);
    const known = this.#unlogged.get(key) ?? new Map<string, Last>();
    const succeededAt = stage === 'succeeded' ? at : known.get(action)?.succeededAt;
    this.#unlogged.set(key, known.set(action, { begunAt: at, succeededAt }));
    return at;
  }

  /** An action that is begun may happen from now on; only one that succeeded has surely happened. */
  note(
    { database, at: now }: LedgerTransaction,
    actor: Actor,
    action: string,
    stage: Stage,
    at: number = now,
  ): void {
    prepared(
      database,
      `INSERT INTO action_history (actor, action, last_at, succeeded_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at),
         succeeded_at = max(coalesce(succeeded_at, excluded.succeeded_at), coalesce(excluded.succeeded_at, succeeded_at))`,
    ).run(keyOf(actor), action, at, stage === 'succeeded' ? at : null);
  }
}

function keyOf({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}
