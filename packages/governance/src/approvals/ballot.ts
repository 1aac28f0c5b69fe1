import { type Actor, redactText } from '@buddy/core';
import { z } from 'zod';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import { can, Person, personKey } from '../roles/roles.ts';
import type { Approval } from './approval.ts';
import { findById, noteStep, putVote } from './approval-store.ts';
import { agreedBy, type Desk } from './desk.ts';
import { isRequester, type People, voteObstacle } from './electorate.ts';
import {
  ApprovalChangedError,
  ApprovalClosedError,
  ApprovalMismatchError,
  ApprovalNotFoundError,
  VoteRefusedError,
} from './errors.ts';
import type { Attestation } from './attestation.ts';
import { advance, again, lapse, SYSTEM } from './lapse.ts';
import { withPolicyAuthors } from './policy-authors.ts';
import { isOpen } from './state.ts';
import { PermissionDeniedError, type Role } from '../roles/roles.ts';

const PersonalVia = z.enum(['form', 'cli', 'api']);

export const Ballot = z.strictObject({
  by: Person,
  vote: z.enum(['approve', 'deny']),
  via: PersonalVia,
  /** Why, for the others; secrets in it are replaced. At most 500 characters. */
  comment: z.string().max(500).exactOptional(),
  /** The binding digest of what this person was shown; when the request is another, the vote is not taken. */
  seen: z.string().exactOptional(),
});
export type Ballot = z.output<typeof Ballot>;

export const Cancellation = z.strictObject({ by: Person, via: PersonalVia });
export type Cancellation = z.output<typeof Cancellation>;

/** How it stands, or why nothing was changed; what had lapsed by then is kept in either case. */
export type Answer = { approval: Approval } | { refusal: Error };

export interface BallotParts {
  desk: Desk;
  attestation: Attestation;
  people: People;
  escalatesTo: readonly Role[];
}

/** Takes one person's vote. The last one that is needed decides; a no decides at once, also over a yes not yet used. */
export function castVote(
  transaction: LedgerTransaction,
  id: string,
  { by, vote, via, comment, seen }: Ballot,
  { desk, attestation, people: told, escalatesTo }: BallotParts,
): Answer {
  const people = withPolicyAuthors(told, transaction.database);
  const found = findById(transaction.database, id);
  if (!found) throw new ApprovalNotFoundError();
  const approval = lapse(transaction, found, escalatesTo, attestation);
  if (!isOpen(approval.state)) return { refusal: new ApprovalClosedError(id, approval.state) };
  if (vote === 'approve' && !attestation.isGenuine(transaction.database, approval)) {
    advance(transaction, approval, 'invalidated', { by: SYSTEM });
    return { refusal: new ApprovalChangedError(id) };
  }
  const obstacle = voteObstacle(by, approval, people);
  if (obstacle) return { refusal: new VoteRefusedError(id, obstacle) };
  if (seen !== undefined && seen !== approval.bindingDigest) {
    return { refusal: new ApprovalMismatchError(id) };
  }
  const key = personKey(by.id);
  const before = approval.votes.find((earlier) => personKey(earlier.by.id) === key);
  if (before?.vote === vote && before.by.role === by.role) return { approval };
  if (vote === 'approve') {
    if (approval.state === 'approved') return { refusal: new ApprovalClosedError(id, 'approved') };
    desk.contentOf(transaction.database, approval); // nobody agrees to what nobody can read
  }
  const { at } = transaction;
  const kept = comment === undefined || comment === '' ? null : redactText(comment);
  putVote(transaction, id, { by, vote, via, comment: kept, at });
  const person: Actor = { kind: 'human', id: by.id };
  noteStep(transaction, approval, 'voted', person, via);
  const voted = again(transaction, approval);
  if (vote === 'deny')
    return { approval: advance(transaction, voted, 'denied', { by: person, via }) };
  if (agreedBy(voted, people) < voted.demand.quorum) {
    attestation.attest(transaction, voted);
    return { approval: voted };
  }
  // What is approved can be used for as long as it could be decided on, counted from now.
  const expiresAt = Math.ceil(at + voted.demand.expiresMs);
  const approved = advance(transaction, voted, 'approved', { by: person, via, expiresAt });
  attestation.attest(transaction, approved);
  return { approval: approved };
}

/** Takes a request back, or an approval that is not used yet. */
export function cancelApproval(
  transaction: LedgerTransaction,
  id: string,
  { by, via }: Cancellation,
  { attestation, escalatesTo }: Pick<BallotParts, 'attestation' | 'escalatesTo'>,
): Answer {
  const found = findById(transaction.database, id);
  if (!found) throw new ApprovalNotFoundError();
  const isOwn = isRequester(by, found.actor) && can(by, 'approvals.cancel_own');
  if (!isOwn && !can(by, 'approvals.cancel')) {
    throw new PermissionDeniedError(by, 'approvals.cancel');
  }
  const approval = lapse(transaction, found, escalatesTo, attestation);
  if (!isOpen(approval.state)) return { refusal: new ApprovalClosedError(id, approval.state) };
  return {
    approval: advance(transaction, approval, 'cancelled', {
      by: { kind: 'human', id: by.id },
      via,
    }),
  };
}
