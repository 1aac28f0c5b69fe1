/** Where a request stands. Only `pending` and `approved` lead anywhere. */
export const APPROVAL_STATES = [
  'pending',
  'approved',
  'consumed',
  'denied',
  'expired',
  'cancelled',
  'invalidated',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/**
 * Every move that there is. Nothing leads from an end to anywhere, and to `consumed` only from `approved`. An approval that
 * was not used yet can still be denied, for a no beats a yes.
 */
export const LEGAL_MOVES: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['approved', 'denied', 'expired', 'cancelled', 'invalidated'],
  approved: ['consumed', 'denied', 'expired', 'cancelled', 'invalidated'],
  consumed: [],
  denied: [],
  expired: [],
  cancelled: [],
  invalidated: [],
};

export function isLegalMove(from: ApprovalState, to: ApprovalState): boolean {
  return LEGAL_MOVES[from].includes(to);
}
