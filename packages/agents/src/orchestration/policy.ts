import type { RetryOptions } from '../task/retry-options.ts';

/** How tasks are tried. JSON, for workflows are handed it. */
export interface TaskPolicy extends RetryOptions {
  runId: string;
  /** How long a person has to decide. */
  verdictTimeoutMs: number;
  /** For jitter. */
  seed: number | string;
  /** Whether there is a healer to ask. */
  canHeal: boolean;
}

/** The tools that orchestration itself calls; whoever runs it registers them. */
export const SYSTEM_TOOLS = {
  openWave: 'buddy.waves.open',
  closeWave: 'buddy.waves.close',
  claim: 'buddy.tasks.claim',
  claimHeld: 'buddy.tasks.claim-held',
  claimAny: 'buddy.tasks.claim-any',
  reconcile: 'buddy.tasks.reconcile',
  heal: 'buddy.tasks.heal',
} as const;

export const SYSTEM_ACTOR = { kind: 'system', id: 'buddy.agents' } as const;
