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
 * Every move that a request can make; all others are refused. Nothing leads out of an end, and nothing but `approved` leads
 * to `consumed`. Until it is used, an approval can still be taken back.
 */
export const APPROVAL_MOVES = {
  pending: ['approved', 'denied', 'expired', 'cancelled', 'invalidated'],
  approved: ['consumed', 'denied', 'expired', 'cancelled', 'invalidated'],
  consumed: [],
  denied: [],
  expired: [],
  cancelled: [],
  invalidated: [],
} as const satisfies Readonly<Record<ApprovalState, readonly ApprovalState[]>>;

export function mayMove(from: ApprovalState, to: ApprovalState): boolean {
  const moves: readonly ApprovalState[] = APPROVAL_MOVES[from];
  return moves.includes(to);
}

/** Whether it may still come to a call. */
export function isOpen(state: ApprovalState): boolean {
  return APPROVAL_MOVES[state].length > 0;
}
