import type { ApprovalEvent, ApprovalVia } from '../../ledger/entry.ts';
import type { VoteObstacle } from '../electorate.ts';
import type { ApprovalState } from '../state.ts';

const STATES: Readonly<Record<ApprovalState, string>> = {
  pending: 'waiting',
  approved: 'approved',
  consumed: 'approved and done',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  invalidated: 'out of date',
};

export function stateWord(state: ApprovalState): string {
  return STATES[state];
}

const EVENTS: Readonly<Record<ApprovalEvent, string>> = {
  filed: 'asked for',
  voted: 'vote given',
  approved: 'approved',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  invalidated: 'out of date: something that it was asked for has changed',
  consumed: 'used',
  escalated: 'more people asked',
};

export function eventWord(event: ApprovalEvent): string {
  return EVENTS[event];
}

const VIAS: Readonly<Record<ApprovalVia, string>> = {
  form: 'by this form',
  cli: 'by the command line',
  api: 'by a program',
  grant: 'by a grant given before',
  fast: 'by nobody, in development',
};

export function viaWord(via: ApprovalVia): string {
  return VIAS[via];
}

const OBSTACLES: Readonly<Record<VoteObstacle, string>> = {
  permission: 'Your role may look at requests, and not decide on them.',
  role: 'The rule asks people with another role.',
  requester:
    'You asked for this yourself, or it is asked for in your name: somebody else has to decide.',
  owner: 'You own the agent that asks: somebody else has to decide.',
  policy_author:
    'You brought the policy into force that this is asked under: somebody else has to decide.',
  excluded: 'This request names you as one who does not decide on it.',
};

export function obstacleWords(obstacle: VoteObstacle): string {
  return OBSTACLES[obstacle];
}
