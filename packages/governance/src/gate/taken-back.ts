import type { Actor } from '@buddy/core';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import { prepared } from '../ledger/prepared.ts';

export const TAKEN_BACK_MIGRATIONS: readonly Migration[] = [
  {
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
  },
  {
    // By their intents, for what is under way cannot be taken back. What was so before counts as ended.
    id: 'gate-taken-back-2',
    sql: `
  CREATE TABLE begun_calls (
    intent_seq INTEGER PRIMARY KEY,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    arguments_digest TEXT NOT NULL
  ) STRICT;
  CREATE INDEX begun_calls_alike ON begun_calls (actor, action, arguments_digest);
`,
  },
];

type Ending = { kind: 'done'; resultDigest: string } | { kind: 'unknown' } | { kind: 'not done' };

/** One call among those that are alike. */
interface Call {
  actor: Actor;
  action: string;
  /** Keyed. */
  argumentsDigest: string;
}

type Open = Pick<LedgerTransaction, 'database'>;

/** Of a call that has ended, and nobody heard how: it failed on the way, or its process ended. */
const NOT_KNOWN = '';

/**
 * What was done and not taken back since. Of that, and of nothing else, whoever did it may take back what no rule speaks
 * of: else `undo`, with a result of one's own invention, would be a way to do what the policy does not allow.
 *
 * Each is taken when its undo is let through, so that of many at once one goes; it is given back only when that undo surely
 * did nothing.
 */
export class TakenBack {
  /** Whether such a call was made, and had that result, or has ended and nobody heard of one. */
  isPossible(open: Open, call: Call, resultDigest: string): boolean {
    return this.#fitting(open, call, resultDigest) !== undefined;
  }

  /** @returns What `giveBack` wants; undefined where there was none, and a rule let it be undone all the same. */
  take(open: Open, call: Call, resultDigest: string): string | undefined {
    const fitting = this.#fitting(open, call, resultDigest);
    if (fitting !== undefined) this.#remove(open, call, fitting);
    return fitting;
  }

  giveBack(open: Open, call: Call, taken: string): void {
    this.#add(open, call, taken);
  }

  noteBegun({ database }: Open, intentSeq: number, call: Call): void {
    prepared(
      database,
      'INSERT INTO begun_calls (intent_seq, actor, action, arguments_digest) VALUES (?, ?, ?, ?)',
    ).run(intentSeq, ...keyOf(call));
  }

  /** What is known of how it ended: its result, that it surely never happened, or nothing. */
  noteEnded(open: Open, intentSeq: number, call: Call, ending: Ending): void {
    this.#forgetBegun(open, intentSeq);
    switch (ending.kind) {
      case 'done':
        this.#add(open, call, ending.resultDigest);
        return;
      case 'unknown':
        this.#add(open, call, NOT_KNOWN);
        return;
      case 'not done':
    }
  }

  #fitting(open: Open, call: Call, resultDigest: string): string | undefined {
    this.#noteLost(open, call);
    const select = `SELECT 1 FROM can_be_taken_back WHERE ${WHERE}`;
    return [resultDigest, NOT_KNOWN].find(
      (result) => prepared(open.database, select).get(...keyOf(call), result) !== undefined,
    );
  }

  /** Of calls whose process ended, the ledger has written the outcome, and the gate never heard of it. */
  #noteLost(open: Open, call: Call): void {
    const lost = prepared(
      open.database,
      `SELECT intent_seq FROM begun_calls WHERE actor = ? AND action = ? AND arguments_digest = ?
       AND intent_seq NOT IN (SELECT seq FROM audit_open_intents)`,
    ).all(...keyOf(call));
    for (const { intent_seq: seq } of lost)
      this.noteEnded(open, Number(seq), call, { kind: 'unknown' });
  }

  #forgetBegun({ database }: Open, intentSeq: number): void {
    prepared(database, 'DELETE FROM begun_calls WHERE intent_seq = ?').run(intentSeq);
  }

  #add({ database }: Open, call: Call, result: string): void {
    prepared(
      database,
      `INSERT INTO can_be_taken_back (actor, action, arguments_digest, result_digest, times)
       VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1`,
    ).run(...keyOf(call), result);
  }

  #remove({ database }: Open, call: Call, result: string): void {
    const key = [...keyOf(call), result];
    prepared(database, `DELETE FROM can_be_taken_back WHERE ${WHERE} AND times = 1`).run(...key);
    prepared(database, `UPDATE can_be_taken_back SET times = times - 1 WHERE ${WHERE}`).run(...key);
  }
}

const WHERE = 'actor = ? AND action = ? AND arguments_digest = ? AND result_digest = ?';

function keyOf({ actor: { kind, id }, action, argumentsDigest }: Call): string[] {
  return [`${kind}:${id}`, action, argumentsDigest];
}
