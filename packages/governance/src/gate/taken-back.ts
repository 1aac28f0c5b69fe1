import type { DatabaseSync } from 'node:sqlite';
import type { Actor } from '@buddy/core';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import { prepared } from '../ledger/prepared.ts';

export const TAKEN_BACK_MIGRATION: Migration = {
  id: 'gate-taken-back-1',
  sql: `
  CREATE TABLE can_be_taken_back (
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    times INTEGER NOT NULL CHECK (times > 0),
    PRIMARY KEY (actor, action, arguments_digest)
  ) STRICT, WITHOUT ROWID;
`,
};

/** One call among those that are alike. */
export interface DoneCall {
  actor: Actor;
  action: string;
  /** Keyed. */
  argumentsDigest: string;
}

type Open = Pick<LedgerTransaction, 'database'>;

/**
 * What was begun and not taken back since. Of that, and of nothing else, whoever did it may take back what no rule speaks
 * of: else `undo`, with a result of one's own invention, would be a way to do what the policy does not allow.
 */
export class TakenBack {
  isPossible(
    { database }: { database: DatabaseSync },
    { actor, action, argumentsDigest }: DoneCall,
  ) {
    const select = `SELECT 1 FROM can_be_taken_back WHERE ${WHERE}`;
    return prepared(database, select).get(keyOf(actor), action, argumentsDigest) !== undefined;
  }

  noteBegun({ database }: Open, { actor, action, argumentsDigest }: DoneCall): void {
    prepared(
      database,
      `INSERT INTO can_be_taken_back (actor, action, arguments_digest, times) VALUES (?, ?, ?, 1)
         ON CONFLICT DO UPDATE SET times = times + 1`,
    ).run(keyOf(actor), action, argumentsDigest);
  }

  /** It was taken back, or surely never happened. */
  noteUndone({ database }: Open, { actor, action, argumentsDigest }: DoneCall): void {
    const call = [keyOf(actor), action, argumentsDigest];
    prepared(database, `DELETE FROM can_be_taken_back WHERE ${WHERE} AND times = 1`).run(...call);
    prepared(database, `UPDATE can_be_taken_back SET times = times - 1 WHERE ${WHERE}`).run(
      ...call,
    );
  }
}

const WHERE = 'actor = ? AND action = ? AND arguments_digest = ?';

function keyOf({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}
