import type { Actor, Tier } from '@buddy/core';
import type { FactValue, ReasonCode } from '../policy/decision.ts';

/*
 * A strict allow-list, so that prompts and answers have no field to land in. `audit/entry-record.ts` says how it stands on
 * the disk, and how long each text may be. Free text is the rationale only: redacted, at most 280 characters, or its digest.
 */

interface OfAction {
  runId: string | null;
  taskId: string | null;
  actor: Actor;
  action: string;
  tier: Tier;
  rule: string;
  reasonCode: ReasonCode;
  /** Null for tier 1, where it may be left out. `hmac-sha256:…` where only its digest is kept. */
  rationale: string | null;
  facts: Readonly<Record<string, FactValue>>;
  /** HMAC-SHA-256 of the arguments' canonical JSON under the ledger's key: a plain digest of small values can be guessed. */
  argumentsDigest: string;
  approvalId: string | null;
  policyDigest: string;
}

export type ApprovalEvent =
  | 'filed'
  | 'voted'
  | 'approved'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'invalidated'
  | 'consumed'
  | 'escalated';

/** How a person's word came in; `fast`: by nobody's, in development. */
export type ApprovalVia = 'form' | 'cli' | 'api' | 'grant' | 'fast';

export type AuditEntryBody =
  /** About to be done; durable before it is. */
  | (OfAction & { kind: 'intent'; decision: 'allow' })
  /** Not done: denied, or it waits for a person. */
  | (OfAction & { kind: 'refusal'; decision: 'deny' | 'approve' })
  | {
      kind: 'outcome';
      intentSeq: number;
      runId: string | null;
      actor: Actor;
      action: string;
      tier: Tier;
      /** `unknown`: the process ended between intent and outcome, or the call's effect is not known. */
      outcome: 'succeeded' | 'failed' | 'unknown';
      errorCode: string | null;
      durationMs: number | null;
      tokens: { in: number; out: number } | null;
      /** In minor units (cents). */
      cost: { amount: number; currency: string } | null;
      policyDigest: string;
    }
  | {
      kind: 'approval';
      event: ApprovalEvent;
      approvalId: string;
      action: string;
      /** Whose word it was; the system for expiry. */
      by: Actor;
      via: ApprovalVia | null;
    }
  | {
      kind: 'policy';
      event: 'loaded' | 'rejected' | 'rolled_back';
      policyDigest: string | null;
      by: Actor;
      /** For `rejected`: the first problem's code. */
      reasonCode: string | null;
    }
  | {
      kind: 'control';
      event:
        | 'kill_switch_on'
        | 'kill_switch_off'
        | 'fast_approve_on'
        | 'fast_approve_off'
        | 'grant_made'
        | 'grant_revoked';
      by: Actor;
      reasonCode: string | null;
    };

/** As it stands in the log. */
export type AuditEntry = AuditEntryBody & {
  /** From 0, without holes: the leaf's index in the tree. */
  seq: number;
  /** Ms since the epoch. */
  at: number;
};
