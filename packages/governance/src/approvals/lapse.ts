import type { Actor } from '@buddy/core';
import type { ApprovalEvent, ApprovalVia } from '../ledger/entry.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Role } from '../roles/roles.ts';
import type { Approval } from './approval.ts';
import type { Attestation } from './attestation.ts';
import { findById, moveApproval, noteStep, widenElectorate } from './approval-store.ts';
import { type ApprovalState, isOpen } from './state.ts';

/** Whose word it is when nobody's is. */
export const SYSTEM: Actor = { kind: 'system', id: 'governance' };

type Moved = Exclude<ApprovalState, 'pending'> & ApprovalEvent;

/** Moves a request, and says so where events and the audit log see it. Returns it as it stands then. */
export function advance(
  transaction: LedgerTransaction,
  approval: Approval,
  to: Moved,
  { by, via = null, expiresAt }: { by: Actor; via?: ApprovalVia | null; expiresAt?: number },
): Approval {
  moveApproval(transaction, approval, to, { via, ...(expiresAt !== undefined && { expiresAt }) });
  noteStep(transaction, approval, to, by, via);
  return again(transaction, approval);
}

/** Does what the time demands of an open request: it expires, or more people are asked. Expiry never approves. */
export function lapse(
  transaction: LedgerTransaction,
  approval: Approval,
  escalatesTo: readonly Role[],
  attestation: Attestation,
): Approval {
  const { state, expiresAt, escalatesAt } = approval;
  if (!isOpen(state)) return approval;
  if (expiresAt <= transaction.at) return advance(transaction, approval, 'expired', { by: SYSTEM });
  if (state !== 'pending' || escalatesAt === null || escalatesAt > transaction.at) return approval;
  if (escalatesTo.length === 0) return approval; // left for a process that knows whom to ask
  const isGenuine = attestation.isGenuine(transaction.database, approval);
  widenElectorate(transaction, approval.id, escalatesTo);
  noteStep(transaction, approval, 'escalated', SYSTEM, null);
  const widened = again(transaction, approval);
  if (isGenuine) attestation.attest(transaction, widened); // else it stays as doubtful as it was
  return widened;
}

/** How a request stands at that moment, whether or not somebody has written it yet: `lapse`, for those who only look. */
export function asOf(approval: Approval, at: number, escalatesTo: readonly Role[]): Approval {
  const { state, expiresAt, escalatesAt } = approval;
  if (!isOpen(state)) return approval;
  if (expiresAt <= at) return { ...approval, state: 'expired', endedAt: expiresAt };
  if (state !== 'pending' || escalatesAt === null || escalatesAt > at) return approval;
  return escalatesTo.length === 0
    ? approval
    : { ...approval, escalatedTo: escalatesTo, escalatesAt: null };
}

export function again({ database }: LedgerTransaction, { id }: Pick<Approval, 'id'>): Approval {
  const approval = findById(database, id);
  if (!approval) throw new Error(`Approval ${id} is gone from the database`);
  return approval;
}
