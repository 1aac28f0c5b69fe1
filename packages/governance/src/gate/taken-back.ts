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
    result_digest TEXT NOT NULL,
    times INTEGER NOT NULL CHECK (times > 0),
    PRIMARY KEY (actor, action, arguments_digest, result_digest)
  ) STRICT, WITHOUT ROWID;
`,
};

/** One call among those that are alike. */
export interface BegunCall {
  actor: Actor;
  action: string;
  /** Keyed. */
  argumentsDigest: string;
}

type Open = Pick<LedgerTransaction, 'database'>;

/** Of a call that is under way, or of which nobody heard how it ended. */
const NOT_KNOWN = '';

/**
 * What was begun and not taken back since. Of that, and of nothing else, whoever did it may take back what no rule speaks
 * of: else `undo`, with a result of one's own invention, would be a way to do what the policy does not allow.
 */
export class TakenBack {
  /** Whether such a call was begun, and had that result or none that is known. */
  isPossible(open: { database: DatabaseSync }, call: BegunCall, resultDigest: string): boolean {
    return this.#fitting(open, call, resultDigest) !== undefined;
  }

  noteBegun(open: Open, call: BegunCall): void {
    this.#add(open, call, NOT_KNOWN);
  }

  noteDone(open: Open, call: BegunCall, resultDigest: string): void {
    this.#remove(open, call, NOT_KNOWN);
    this.#add(open, call, resultDigest);
  }

  /** It surely never happened. */
  noteNotDone(open: Open, call: BegunCall): void {
    this.#remove(open, call, NOT_KNOWN);
  }

  noteUndone(open: Open, call: BegunCall, resultDigest: string): void {
    const fitting = this.#fitting(open, call, resultDigest);
    if (fitting !== undefined) this.#remove(open, call, fitting);
  }

  #fitting(
    { database }: { database: DatabaseSync },
    call: BegunCall,
    resultDigest: string,
  ): string | undefined {
    const select = `SELECT 1 FROM can_be_taken_back WHERE ${WHERE}`;
    return [resultDigest, NOT_KNOWN].find(
      (result) => prepared(database, select).get(...keyOf(call), result) !== undefined,
    );
  }

  #add({ database }: Open, call: BegunCall, result: string): void {
    prepared(
      database,
      `INSERT INTO can_be_taken_back (actor, action, arguments_digest, result_digest, times)
       VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1`,
    ).run(...keyOf(call), result);
  }

  #remove({ database }: Open, call: BegunCall, result: string): void {
    const key = [...keyOf(call), result];
    prepared(database, `DELETE FROM can_be_taken_back WHERE ${WHERE} AND times = 1`).run(...key);
    prepared(database, `UPDATE can_be_taken_back SET times = times - 1 WHERE ${WHERE}`).run(...key);
  }
}

const WHERE = 'actor = ? AND action = ? AND arguments_digest = ? AND result_digest = ?';

function keyOf({ actor: { kind, id }, action, argumentsDigest }: BegunCall): string[] {
  return [`${kind}:${id}`, action, argumentsDigest];
}
