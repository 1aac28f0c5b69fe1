import { once } from 'node:events';
import process from 'node:process';
import { openSqliteStore, type StoreChange } from '@buddy/guardian';

/**
 * Writes more than its file may grow to, waits until that was raised, and writes once more. Says at the end how many of its
 * writes were kept, and what the ledger has counted.
 */
const store = openSqliteStore(process.argv[2] ?? '');
const symptom = (seq: number, reason: string): StoreChange => ({
  kind: 'symptom',
  seq,
  at: 1,
  resource: 'api',
  signal: 'process.exited',
  incidentId: null,
  outcome: 'unmatched',
  reason,
});

const long = 'x'.repeat(2_000);
const writes = Array.from({ length: 3_000 }, (_, index) => store.write([symptom(index + 1, long)]));
const results = await Promise.allSettled(writes);
const kept = results.filter(({ status }) => status === 'fulfilled').length;
const failure = results.find((result) => result.status === 'rejected');
process.send?.({ kept, isRetryable: failure?.reason.retryable === true });
await once(process, 'message');
await store.write([symptom(9_000, '')]);
process.send?.(store.ledger());
await store.close();
process.disconnect();
