import type { Actor, Tier } from '@buddy/core';
import type { PolicyDecision, ReasonCode } from '../policy/decision.ts';

interface OfCall {
  /** Ms since the epoch. */
  at: number;
  action: string;
  actor: Actor;
  tier: Tier;
  runId?: string;
  taskId?: string;
}

/** What became of calls; each told once it is on the disk. */
export interface GateEvents {
  /** The intent is durable; it is about to be done. */
  actionStarted: [event: OfCall & { seq: number; decision: PolicyDecision }];
  actionEnded: [
    event: OfCall & {
      intentSeq: number;
      outcome: 'succeeded' | 'failed' | 'unknown';
      durationMs: number;
      errorCode: string | null;
    },
  ];
  /** `usageOf` threw, or what it gave is no usage; the call counts as its limits estimated it. */
  usageUnreadable: [event: OfCall & { message: string }];
  actionDenied: [event: OfCall & { reasonCode: ReasonCode; rule: string; explanation: string }];
  approvalRequested: [event: OfCall & { approvalId: string; rule: string }];
  /** The log could not be written: tiers 2 and 3 are blocked until it can. */
  logUnavailable: [event: { at: number; action: string; message: string }];
}
