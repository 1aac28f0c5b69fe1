import { stringifyJsonLine } from '@buddy/core';
import type { JournalEntry } from './entry.ts';

/** One line of JSON for each call. */
export function ndjsonOf(entries: readonly JournalEntry[]): string {
  return entries.map((entry) => stringifyJsonLine(recordOf(entry))).join('');
}

function recordOf(entry: JournalEntry): object {
  const { provider, operation, n, outcome, request, response, fault, changes } = entry;
  return {
    provider,
    operation,
    n,
    request_id: entry.requestId,
    idempotency_key: entry.idempotencyKey,
    started_at: new Date(entry.startedAt).toISOString(),
    ended_at: new Date(entry.endedAt).toISOString(),
    outcome,
    is_carried_out: entry.isCarriedOut,
    request,
    response,
    fault, // as in a file of fault rules
    is_early_retry: entry.isEarlyRetry,
    changes,
  };
}
