import type { Reading } from '../reading.ts';
import type { Probed } from './probed.ts';

/** What runs code that is not trusted, and the jobs in it. */
export interface SandboxAdapter extends Probed {
  readonly kind: 'sandbox';
  /** Whether each attempt to escape is denied. */
  escapeCanaries(signal: AbortSignal): Promise<Reading>;
  /** Whether a harmless job gives the result that it must. */
  smokeTest(signal: AbortSignal): Promise<Reading>;
  /** Jobs that are in it or wait to be put there again. */
  jobs(signal: AbortSignal): Promise<readonly string[]>;
  /** Ends it and everything in it. Its jobs wait. */
  destroy(signal: AbortSignal): Promise<void>;
  /** Makes a new one from the pinned template. */
  rebuild(signal: AbortSignal): Promise<void>;
  revokeGrants(signal: AbortSignal): Promise<void>;
  /** Runs a job that waits again; one that was run again before is quarantined instead. */
  requeueOnce(job: string, signal: AbortSignal): Promise<void>;
  /** The job is not run again. */
  quarantineJob(job: string, signal: AbortSignal): Promise<void>;
}

/** The gate in front of what agents do. */
export interface GuardrailsAdapter extends Probed {
  readonly kind: 'guardrails';
  /** Asks the gate for something that must be denied, and for something that must be allowed. */
  canaries(signal: AbortSignal): Promise<{ mustDeny: boolean; mustAllow: boolean }>;
  /** Effects that were done, and those of them with a verdict of the gate. */
  receipts(signal: AbortSignal): Promise<{ effects: number; withReceipt: number }>;
  /** Of the policy in force, of the one that should be, and, where that is known, of the one that is kept to be loaded. */
  policyDigest(signal: AbortSignal): Promise<{ loaded: string; pinned: string; kept?: string }>;
  isFrozen(signal: AbortSignal): Promise<boolean>;
  /** Denies everything. */
  freeze(signal: AbortSignal): Promise<void>;
  unfreeze(signal: AbortSignal): Promise<void>;
  reloadPinnedPolicy(signal: AbortSignal): Promise<void>;
  /** Loads the policy that was pinned before this one; denies everything where there is none. */
  loadPreviousPolicy(signal: AbortSignal): Promise<void>;
  revokeGrants(signal: AbortSignal): Promise<void>;
  quarantineUnreceipted(signal: AbortSignal): Promise<void>;
}

/** A log that is only added to, in segments of which each one names the end of the one before. */
export interface AuditLogAdapter extends Probed {
  readonly kind: 'audit_log';
  /** Whether all that the segment in use holds is what was written, and nothing is missing. */
  verify(signal: AbortSignal): Promise<Reading>;
  /** Adds an entry to the segment in use, has it signed, and finds it again. */
  appendCanary(signal: AbortSignal): Promise<Reading>;
  /** The segment in use, and what it says the one before ended with. */
  segment(): { id: string; continues: { id: string; root: string } | undefined };
  isSealed(id: string, signal: AbortSignal): Promise<boolean>;
  isFrozen(signal: AbortSignal): Promise<boolean>;
  /** Whatever is of tier 3 or more is denied, until a person lets it through again. */
  freeze(signal: AbortSignal): Promise<void>;
  /** Nobody adds to this segment any more; it can be read. */
  seal(id: string, signal: AbortSignal): Promise<void>;
  /** Begins a segment that names the end of `after`, in another place. Nothing when one does already. */
  openSegment(after: string, signal: AbortSignal): Promise<void>;
}
