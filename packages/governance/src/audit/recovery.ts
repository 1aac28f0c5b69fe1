import type { DatabaseSync } from 'node:sqlite';
import type { EntryLog } from '../ledger/entry-log.ts';
import { readRecord } from './entry-record.ts';

/**
 * Gives an outcome to the intents of processes that are gone: nobody knows whether it was done.
 * @returns The intents' numbers.
 */
export function endOpenIntents(
  database: DatabaseSync,
  log: EntryLog,
  owners: readonly string[],
  at: number,
): number[] {
  const select = database.prepare(
    'SELECT seq, record FROM audit_open_intents JOIN audit_entries USING (seq) WHERE owner = ? ORDER BY seq',
  );
  return owners.flatMap((owner) =>
    select.all(owner).map(({ record }) => {
      const intent = readRecord(String(record));
      if (intent.kind !== 'intent') throw new TypeError(`Entry ${intent.seq} is no intent`);
      const { seq: intentSeq, runId, actor, action, tier, policyDigest } = intent;
      log.append(
        {
          kind: 'outcome',
          intentSeq,
          runId,
          actor,
          action,
          tier,
          outcome: 'unknown',
          errorCode: null,
          durationMs: null,
          tokens: null,
          cost: null,
          policyDigest,
        },
        at,
      );
      return intentSeq;
    }),
  );
}
