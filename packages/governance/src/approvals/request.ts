import type { Actor, Tier } from '@buddy/core';
import type { ApprovalVia } from '../ledger/entry.ts';
import { can, type Person, personKey, type Role } from '../roles/roles.ts';
import type { ApprovalState } from './states.ts';

export interface ApprovalVote {
  by: string;
  role: Role;
  decision: 'approve' | 'deny';
  via: ApprovalVia;
  at: number;
  /** The grant that it was given by beforehand. */
  grantId: string | null;
}

/**
 * A request as somebody gets to see it. All texts in it were written by an agent, or by whoever wrote to it: show them by
 * `showApproval`, never as they are.
 */
export interface ApprovalRequest {
  id: string;
  state: ApprovalState;
  action: string;
  actor: Actor;
  tier: Tier;
  /** What it would be done with, secrets replaced. Null when this person may not see it, or it is forgotten. */
  arguments: unknown;
  /** Why `arguments` is null. */
  argumentsHidden: 'no_permission' | 'forgotten' | null;
  rationale: string | null;
  /** Which rule asks. */
  rule: string;
  runId: string | null;
  taskId: string | null;
  toolDigest: string;
  policyDigest: string;
  /** Names just this; hand it back with a vote as `seen`. */
  bindingDigest: string;
  /** Roles of which any may vote. */
  from: readonly Role[];
  /** How many different people have to agree. */
  quorum: number;
  votes: readonly ApprovalVote[];
  /** Ms since the epoch, as all times here. */
  filedAt: number;
  /** When it lapses; for what is approved, when the approval does. */
  expiresAt: number;
  escalatedAt: number | null;
  decidedAt: number | null;
  /** How the last word came in. */
  via: ApprovalVia | null;
  /** An earlier request for the same piece of work, such as one that was used up. */
  previousId: string | null;
}

/** Whether it was asked for by this person, or in this person's name. */
export function isRequester({ actor }: Pick<ApprovalRequest, 'actor'>, personId: string): boolean {
  const key = personKey(personId);
  return (
    personKey(actor.id) === key ||
    (actor.onBehalfOf !== undefined && personKey(actor.onBehalfOf) === key)
  );
}

/** The request as this person may see it; undefined when not at all. */
export function visibleTo(person: Person, request: ApprovalRequest): ApprovalRequest | undefined {
  const isOwn = can(person, 'approvals.read_own') && isRequester(request, person.id);
  if (!isOwn && !can(person, 'approvals.read')) return undefined;
  if (isOwn || can(person, 'approvals.read_arguments')) return request;
  return { ...request, arguments: null, argumentsHidden: 'no_permission' };
}
