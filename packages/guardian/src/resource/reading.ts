import type { Condition } from '../incident/symptom.ts';

/** Why something could not be known. A reading that could not be taken is neither good nor bad. */
export type UnknownReason =
  | 'unsupported_platform'
  | 'no_permission'
  | 'no_route_info'
  | 'filtered'
  | 'intercepted'
  | 'self_lag'
  | 'probe_error'
  | 'disabled'
  | 'warming_up'
  | 'stale';

/**
 * What one look at a resource says. `decisive` evidence (refused, reset, a process that ended) is acted on at once;
 * `ambiguous` evidence (silence, a timeout) is looked at again first.
 */
export type Reading =
  | { status: 'HEALTHY'; note?: string }
  | { status: 'DEGRADED'; signal: string; note: string }
  | {
      status: 'FAILED';
      signal: string;
      certainty: 'decisive' | 'ambiguous';
      note: string;
      data?: Readonly<Record<string, unknown>>;
      conditions?: readonly Condition[];
    }
  | { status: 'UNKNOWN'; reason: UnknownReason; note: string };

export const HEALTHY: Reading = Object.freeze({ status: 'HEALTHY' });
