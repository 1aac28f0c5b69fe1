import type { Actor, Tier } from '@buddy/core';
import type { ApprovalVia } from '../ledger/entry.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { ApprovalDemand, LimitDemand } from '../policy/decision.ts';
import type { CallUsage } from './call.ts';

/** What an approval is asked for, and all that it is bound to. */
export interface ApprovalClaim {
  action: string;
  actor: Actor;
  tier: Tier;
  /** The snapshot that would be executed. */
  input: unknown;
  toolDigest: string;
  policyDigest: string;
  idempotencyKey: string;
  rationale: string | null;
  rule: string;
  runId: string | null;
  taskId: string | null;
  demand: ApprovalDemand;
  /** Whether a request that has expired or was cancelled is filed anew. */
  asksAgain?: boolean;
}

export type ClaimResult =
  /** Somebody agreed to just this, and the agreement is now used up. */
  | { kind: 'granted'; approvalId: string; via: ApprovalVia }
  | { kind: 'waiting'; approvalId: string; isNew: boolean }
  | { kind: 'refused'; approvalId: string; reason: 'denied' | 'expired' | 'cancelled' };

/** Where people are asked. */
export interface ApprovalDesk {
  claim(transaction: LedgerTransaction, claim: ApprovalClaim): ClaimResult;
}

/** Whose usage it is. */
export interface LimitSubject {
  actor: Actor;
  action: string;
  runId: string | null;
}

export type ReserveResult =
  | { kind: 'reserved'; reservation: string }
  /** `shortage` is absent when it cannot be told how much the call would take. */
  | { kind: 'refused'; rule: string; explanation: string; shortage?: LimitShortage };

/** What a limit lacks for a call to be let through; in calls, minor units of `currency`, or tokens. */
export interface LimitShortage {
  measure: LimitDemand['measure'];
  currency?: string;
  allowed: number;
  /** Taken by calls that have ended. */
  used: number;
  /** Held for calls that are under way. */
  reserved: number;
  asked: number;
  /** By when there is room, if nobody takes more; ms since the epoch. Null: there never is, for so much is not allowed at all. */
  freesAt: number | null;
}

/** Where usage is counted, that of calls under way with it. */
export interface LimitBook {
  reserve(
    transaction: LedgerTransaction,
    demands: readonly LimitDemand[],
    subject: LimitSubject,
  ): ReserveResult;
  /** The call was made, or may have been. */
  commit(transaction: LedgerTransaction, reservation: string, actual: CallUsage): void;
  /** The call surely was not made. */
  release(transaction: LedgerTransaction, reservation: string): void;
}

export interface KillSwitch {
  isOn(transaction: Pick<LedgerTransaction, 'database'>): boolean;
}
