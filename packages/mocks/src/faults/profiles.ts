import type { FaultRule } from './fault-rule.ts';

/** Mployer's is our own choice: there is no documented one. */
const MPLOYER_RETRY_AFTER_MS = 5_000;
/** The length of GoHighLevel's burst window (100 requests per 10 s). */
const GOHIGHLEVEL_RETRY_AFTER_MS = 10_000;
/** Graph names the seconds in a header; a few is usual. */
const MSGRAPH_RETRY_AFTER_MS = 5_000;

/** What goes wrong, and how often, as the original system's mocks had it. */
export const SEED_FAULTS: readonly FaultRule[] = [
  fault('mployer', 'session.create', 401, 0.05),
  fault('mployer', 'contacts.*', 429, 0.05, MPLOYER_RETRY_AFTER_MS),
  fault('gohighlevel', '*', 401, 0.01),
  fault('gohighlevel', '*', 429, 0.03, GOHIGHLEVEL_RETRY_AFTER_MS),
  fault('gohighlevel', '*', 408, 0.02),
  fault('msgraph', '*', 401, 0.01),
  fault('msgraph', '*', 429, 0.01, MSGRAPH_RETRY_AFTER_MS),
  fault('msgraph', '*', 408, 0.02),
];

function fault(
  provider: NonNullable<FaultRule['match']['provider']>,
  operation: string,
  status: FaultRule['status'],
  rate: number,
  retryAfterMs?: number,
): FaultRule {
  return {
    match: { provider, operation },
    kind: 'status',
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    when: { rate },
  };
}
