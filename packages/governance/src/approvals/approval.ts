import type { Actor } from '@buddy/core';
import type { ApprovalClaim } from '../gate/ports.ts';
import type { ApprovalEvent, ApprovalVia } from '../ledger/entry.ts';
import type { ApprovalDemand } from '../policy/decision.ts';
import type { Person, Role } from '../roles/roles.ts';
import type { ApprovalState } from './state.ts';

/** What is asked for; of the gate, or of whoever gates by hand. */
export interface ApprovalRequest extends ApprovalClaim {
  /** Ids of people who may not vote beside those who never may, such as the author of the policy change that is asked for. */
  excluded?: readonly string[];
}

export interface Vote {
  by: Person;
  vote: 'approve' | 'deny';
  via: ApprovalVia;
  comment: string | null;
  /** Ms since the epoch. */
  at: number;
}

/** A request as it stands. Without its arguments: see `contentOf`. */
export interface Approval {
  id: string;
  state: ApprovalState;
  action: string;
  actor: Actor;
  tier: 1 | 2 | 3;
  rule: string;
  runId: string | null;
  taskId: string | null;
  idempotencyKey: string;
  toolDigest: string;
  policyDigest: string;
  bindingDigest: string;
  demand: ApprovalDemand;
  /** Personal ids beside those that the standing rules exclude. */
  excluded: readonly string[];
  /** Roles that may vote too since the request was escalated; empty before. */
  escalatedTo: readonly Role[];
  /** When it is escalated, in ms since the epoch; null when it never is, or has been. */
  escalatesAt: number | null;
  filedAt: number;
  /** Until when it can be decided on or, once approved, used; ms since the epoch. */
  expiresAt: number;
  /** When it came to its end. */
  endedAt: number | null;
  /** How it was approved: by the last vote that it took, by a grant, by nobody. */
  via: ApprovalVia | null;
  votes: readonly Vote[];
}

/** What a request is about; kept sealed, and erased when the request has come to its end. */
export interface ApprovalContent {
  input: unknown;
  rationale: string | null;
  /** The request that this one took the place of, when that was for other arguments. */
  replaces: { approvalId: string; input: unknown } | null;
}

/** One step of a request's life, for people and for events. */
export interface ApprovalStep {
  approvalId: string;
  event: ApprovalEvent;
  action: string;
  by: Actor;
  via: ApprovalVia | null;
  /** Ms since the epoch. */
  at: number;
}

type EventOfStep = [event: Omit<ApprovalStep, 'event'>];

/** What became of requests, in this process and in others; each told once it is on the disk. */
export type ApprovalEvents = Record<ApprovalEvent, EventOfStep>;
