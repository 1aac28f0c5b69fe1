import type { Actor, Tier } from '@buddy/core';
import type { ApprovalVia } from '../ledger/entry.ts';
import type { ApprovalState } from './states.ts';

export interface OfApproval {
  /** Ms since the epoch. */
  at: number;
  approvalId: string;
  action: string;
  actor: Actor;
  tier: Tier;
  runId?: string;
  taskId?: string;
}

/** What became of requests, each told once it is on the disk. */
export interface ApprovalEvents {
  approvalFiled: [event: OfApproval & { rule: string; expiresAt: number }];
  /** A yes that was not the last one needed. */
  approvalVoted: [event: OfApproval & { by: string; approvals: number; quorum: number }];
  /** Also of decisions by another process, for requests that somebody here waits for. */
  approvalDecided: [
    event: OfApproval & {
      state: Exclude<ApprovalState, 'pending' | 'consumed'>;
      by: Actor | null;
      via: ApprovalVia | null;
    },
  ];
  /** The approval is used up; the intent is in the log. */
  approvalConsumed: [event: OfApproval];
  /** Nobody answered, so more roles are asked. */
  approvalEscalated: [event: OfApproval & { from: readonly string[] }];
}
