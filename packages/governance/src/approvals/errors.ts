import { BuddyError, type BuddyErrorOptions } from '@buddy/core';
import type { ApprovalState } from './state.ts';
import type { VoteObstacle } from './electorate.ts';

/** No request has this id. */
export class ApprovalNotFoundError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_NOT_FOUND';

  constructor() {
    super('There is no such approval request; list those that there are.');
  }
}

/** The request has come to its end, and nobody can say anything to it any more. */
export class ApprovalClosedError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_CLOSED';
  readonly approvalId: string;
  readonly state: ApprovalState;

  constructor(approvalId: string, state: ApprovalState) {
    super(`Approval ${approvalId} is ${state}; nothing was changed.`);
    this.approvalId = approvalId;
    this.state = state;
  }
}

const OBSTACLES: Readonly<Record<VoteObstacle, string>> = {
  permission: 'this role may not vote',
  role: 'this request is for other roles to decide',
  requester: 'nobody decides on what he asked for himself',
  owner: 'the owner of an agent does not decide on what it asks for',
  policy_author: 'who brought the policy into force does not decide on what it asks about',
  excluded: 'the request names this person as one who may not decide on it',
};

/** This person's vote does not count here, so it was not taken. */
export class VoteRefusedError extends BuddyError {
  readonly code = 'GOVERNANCE_VOTE_REFUSED';
  readonly approvalId: string;
  readonly obstacle: VoteObstacle;

  constructor(approvalId: string, obstacle: VoteObstacle) {
    super(`The vote on ${approvalId} was not taken: ${OBSTACLES[obstacle]}.`);
    this.approvalId = approvalId;
    this.obstacle = obstacle;
  }
}

/** What is to be done is not what was agreed to: another actor, tool, version, policy, run or other arguments. */
export class ApprovalMismatchError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_MISMATCH';
  readonly approvalId: string;

  constructor(approvalId: string) {
    super(`Approval ${approvalId} is for another call than this; ask for this one.`);
    this.approvalId = approvalId;
  }
}

/** Nobody has agreed, or the agreement is used up or gone. */
export class NotApprovedError extends BuddyError {
  readonly code = 'GOVERNANCE_NOT_APPROVED';
  readonly approvalId: string;
  readonly state: ApprovalState;

  constructor(approvalId: string, state: ApprovalState, why = `it is ${state}`) {
    super(`Approval ${approvalId} cannot be used: ${why}.`);
    this.approvalId = approvalId;
    this.state = state;
  }
}

/** What the request is about cannot be opened with this key, or was changed in the database: nobody can judge it. */
export class ApprovalUnreadableError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_UNREADABLE';

  constructor(approvalId: string, options?: BuddyErrorOptions) {
    super(
      `What approval ${approvalId} is about cannot be read: another secret sealed it, or the database was changed. ` +
        'Cancel it, and have it asked for again.',
      options,
    );
  }
}

/**
 * The rows of the request are not as this package wrote them: changed in the database, filed by a version that did not vouch
 * for them, or under another secret. Nobody's yes counts on it.
 */
export class ApprovalChangedError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_CHANGED';
  readonly approvalId: string;

  constructor(approvalId: string) {
    super(
      `Approval ${approvalId} does not stand as it was written: the database was changed without its key, or an older ` +
        'version filed it. It was invalidated; have it asked for again, and look at `buddy-governance audit verify`.',
    );
    this.approvalId = approvalId;
  }
}

/** A program asked for something that no approval can be. */
export class ApprovalRequestError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_REQUEST_INVALID';
}

/** The code of this package tried a move that the table of moves does not have. */
export class IllegalApprovalMoveError extends BuddyError {
  readonly code = 'GOVERNANCE_APPROVAL_MOVE_ILLEGAL';

  constructor(approvalId: string, from: ApprovalState, to: ApprovalState) {
    super(`Approval ${approvalId} is ${from}, which never becomes ${to}.`);
  }
}

/** Approving by nobody's word was asked for where it must never be. */
export class FastApprovalRefusedError extends BuddyError {
  readonly code = 'GOVERNANCE_FAST_APPROVAL_REFUSED';
}

/** There is no such grant, or it has ended. */
export class GrantNotFoundError extends BuddyError {
  readonly code = 'GOVERNANCE_GRANT_NOT_FOUND';

  constructor() {
    super('There is no such grant in force; list those that there are.');
  }
}

/** Nobody grants beforehand what he could not approve. */
export class GrantRefusedError extends BuddyError {
  readonly code = 'GOVERNANCE_GRANT_REFUSED';
  readonly obstacle: VoteObstacle;

  constructor(obstacle: VoteObstacle) {
    super(`The grant was not made: ${OBSTACLES[obstacle]}.`);
    this.obstacle = obstacle;
  }
}

/** One actor has too many requests open. Decide on some, or cancel them; then it may be tried again. */
export class TooManyPendingError extends BuddyError {
  readonly code = 'GOVERNANCE_TOO_MANY_PENDING';

  constructor(most: number) {
    super(`This actor has ${most} requests that wait for people, and no more are taken.`, {
      retryable: true,
    });
  }
}
