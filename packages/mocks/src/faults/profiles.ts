import { deepFreeze } from './deep-freeze.ts';
import type { FaultRule, Faults } from './fault-rule.ts';

/** Mployer's is our own choice: there is no documented one. */
const MPLOYER_RETRY_AFTER_MS = 5_000;
/** The length of GoHighLevel's burst window (100 requests per 10 s). */
const GOHIGHLEVEL_RETRY_AFTER_MS = 10_000;
/** Graph names the seconds in a header; a few is usual. */
const MSGRAPH_RETRY_AFTER_MS = 5_000;

type StatusRule = Extract<FaultRule, { kind: 'status' }>;

/** What goes wrong, and how often, as the original system's mocks had it. */
export const SEED_FAULTS: readonly (StatusRule & { when: { rate: number } })[] = deepFreeze([
  status('mployer', 'session.create', 401, 0.05),
  status('mployer', 'contacts.*', 429, 0.05, MPLOYER_RETRY_AFTER_MS),
  status('gohighlevel', '*', 401, 0.01),
  status('gohighlevel', '*', 429, 0.03, GOHIGHLEVEL_RETRY_AFTER_MS),
  status('gohighlevel', '*', 408, 0.02),
  status('msgraph', '*', 401, 0.01),
  status('msgraph', '*', 429, 0.01, MSGRAPH_RETRY_AFTER_MS),
  status('msgraph', '*', 408, 0.02),
]);

const ANY = { operation: '*' } as const;

/** A bad day: about one call in ten goes wrong, all in ways that a careful client survives. */
const FLAKY_FAULTS: readonly FaultRule[] = deepFreeze([
  { match: ANY, kind: 'status', status: 429, retryAfterMs: 2_000, when: { rate: 0.02 } },
  { match: ANY, kind: 'status', status: 503, retryAfterMs: 1_000, when: { rate: 0.02 } },
  { match: ANY, kind: 'status', status: 504, when: { rate: 0.01 } },
  { match: ANY, kind: 'reset', when: { rate: 0.01 } },
  { match: ANY, kind: 'truncate', when: { rate: 0.005 } },
  { match: ANY, kind: 'commitThenFail', when: { rate: 0.005 } },
  { match: ANY, kind: 'latency', addMs: 3_000, when: { rate: 0.02 } },
  { match: ANY, kind: 'slowBody', overMs: 2_000, when: { rate: 0.01 } },
]);

/** About half of the calls go wrong, in every way there is. */
const STORM_FAULTS: readonly FaultRule[] = deepFreeze([
  { match: ANY, kind: 'status', status: 401, when: { rate: 0.02 } },
  { match: ANY, kind: 'status', status: 408, when: { rate: 0.05 } },
  { match: ANY, kind: 'status', status: 429, retryAfterMs: 5_000, when: { rate: 0.1 } },
  { match: ANY, kind: 'status', status: 500, when: { rate: 0.04 } },
  { match: ANY, kind: 'status', status: 503, retryAfterMs: 5_000, when: { rate: 0.08 } },
  { match: ANY, kind: 'reset', when: { rate: 0.05 } },
  { match: ANY, kind: 'hang', capMs: 30_000, when: { rate: 0.02 } },
  { match: ANY, kind: 'truncate', when: { rate: 0.03 } },
  { match: ANY, kind: 'commitThenFail', when: { rate: 0.04 } },
  { match: ANY, kind: 'latency', addMs: 10_000, when: { rate: 0.05 } },
  { match: ANY, kind: 'slowBody', overMs: 5_000, when: { rate: 0.02 } },
  { match: ANY, kind: 'staleRead', when: { rate: 0.02 } },
]);

/** Nobody is there. */
const DOWN_FAULTS: readonly FaultRule[] = deepFreeze([
  { match: ANY, kind: 'status', status: 503, retryAfterMs: 30_000, when: { rate: 0.6 } },
  { match: ANY, kind: 'reset', when: { rate: 0.4 } },
]);

/** The rules of a profile, or the rules themselves. */
export function rulesOf(faults: Faults): readonly FaultRule[] {
  if (typeof faults !== 'string') return faults;
  switch (faults) {
    case 'none':
    case 'real-limits': // what the providers count, not what befalls them
      return [];
    case 'seed':
      return SEED_FAULTS;
    case 'flaky':
      return FLAKY_FAULTS;
    case 'storm':
      return STORM_FAULTS;
    case 'down':
      return DOWN_FAULTS;
  }
}

function status(
  provider: NonNullable<FaultRule['match']['provider']>,
  operation: string,
  code: StatusRule['status'],
  rate: number,
  retryAfterMs?: number,
): StatusRule & { when: { rate: number } } {
  return {
    match: { provider, operation },
    kind: 'status',
    status: code,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    when: { rate },
  };
}
