import { BuddyError } from '@buddy/core';
import type { ApprovalState } from './states.ts';

/** No request has this id. Look at the list; ids are copied whole. */
export class ApprovalNotFoundError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_NOT_FOUND';
  readonly approvalId: string;

  constructor(approvalId: string) {
    super('There is no approval request with this id.');
    this.approvalId = approvalId;
  }
}

/** The request was decided before, or lapsed. What should still be done has to be asked for anew. */
export class ApprovalClosedError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_CLOSED';
  readonly approvalId: string;
  readonly state: ApprovalState;

  constructor(approvalId: string, state: ApprovalState) {
    super(`Approval request ${approvalId} is ${state}: nothing can be said on it any more.`);
    this.approvalId = approvalId;
    this.state = state;
  }
}

export type VoteObstacle =
  /** The policy asks other roles. */
  | 'role'
  /** Asked for it, or it is asked for in this person's name. */
  | 'requester'
  /** Owns the agent that asks. */
  | 'owner'
  /** Wrote the policy change that it is asked under. */
  | 'policy_author'
  | 'already_voted'
  /** What the person has seen is not what this request asks for. */
  | 'seen_other';

/** This person's word does not count for this request. */
export class VoteNotAllowedError extends BuddyError {
  readonly code = 'GOVERNANCE_VOTE_NOT_ALLOWED';
  readonly obstacle: VoteObstacle;

  constructor(obstacle: VoteObstacle) {
    super(OBSTACLES[obstacle]);
    this.obstacle = obstacle;
  }
}

const OBSTACLES: Readonly<Record<VoteObstacle, string>> = {
  role: 'The policy asks people with other roles.',
  requester: 'Nobody votes on what he asked for himself, or what is asked for in his name.',
  owner: 'The owner of an agent does not vote on what it asks for.',
  policy_author: 'The author of a policy change does not vote on what is asked for under it.',
  already_voted: 'This person has voted already; each counts once.',
  seen_other: 'This is not the request that was shown; look at it again.',
};

/** A change of state that there is not: a bug, and nothing was changed. */
export class IllegalApprovalMoveError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_ILLEGAL_MOVE';

  constructor(approvalId: string, from: ApprovalState, to: ApprovalState) {
    super(`Approval ${approvalId} cannot go from ${from} to ${to}.`);
  }
}

/** An action of tier 4 was brought for approval: no word of anybody lets it run. */
export class TierNotApprovableError extends BuddyError {
  readonly code = 'GOVERNANCE_TIER_NOT_APPROVABLE';

  constructor(action: string) {
    super(`${action} is of tier 4, which is never done by an agent, whoever agrees.`);
  }
}

/** One actor has too many requests open. Decide or cancel some; then it may be tried again. */
export class TooManyPendingApprovalsError extends BuddyError {
  readonly code = 'GOVERNANCE_TOO_MANY_PENDING_APPROVALS';

  constructor(most: number) {
    super(`This actor has ${most} approval requests open, and no more are taken.`, {
      retryable: true,
    });
  }
}

/** Fast approval was asked for where it must not be. Leave it out, or run in development. */
export class FastApproveForbiddenError extends BuddyError {
  readonly code = 'GOVERNANCE_FAST_APPROVE_FORBIDDEN';
}

/** No grant has this id, or it is over. */
export class GrantNotFoundError extends BuddyError {
  readonly code = 'GOVERNANCE_GRANT_NOT_FOUND';

  constructor() {
    super('There is no grant in force with this id.');
  }
}
