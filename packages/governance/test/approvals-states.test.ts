import { APPROVAL_MOVES, APPROVAL_STATES, type ApprovalState, mayMove } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ada, approving, denying, openWorld, payment, type World } from './approvals/world.ts';

/** Every pair of states, written out: `+` is a move that there is. */
const TABLE: Readonly<Record<ApprovalState, string>> = {
  //            pending approved consumed denied expired cancelled invalidated
  pending: '    .       +        .        +      +       +         +',
  approved: '   .       .        +        +      +       +         +',
  consumed: '   .       .        .        .      .       .         .',
  denied: '     .       .        .        .      .       .         .',
  expired: '    .       .        .        .      .       .         .',
  cancelled: '  .       .        .        .      .       .         .',
  invalidated: '.       .        .        .      .       .         .',
};

const LEGAL = APPROVAL_STATES.flatMap((from) =>
  TABLE[from]
    .trim()
    .split(/ +/)
    .flatMap((mark, at) => {
      const to = APPROVAL_STATES[at];
      return mark === '+' && to ? [`${from} -> ${to}`] : [];
    }),
);

const PAIRS = APPROVAL_STATES.flatMap((from) => APPROVAL_STATES.map((to) => ({ from, to })));

describe('the states of an approval', () => {
  it.each(PAIRS)('knows whether $from becomes $to', ({ from, to }) => {
    expect(mayMove(from, to)).toBe(LEGAL.includes(`${from} -> ${to}`));
  });

  it('leads to consumed from approved only, and from an end to nowhere', () => {
    const toConsumed = APPROVAL_STATES.filter((from) => mayMove(from, 'consumed'));
    expect(toConsumed).toEqual(['approved']);
    expect(APPROVAL_STATES.filter((state) => APPROVAL_MOVES[state].length === 0)).toEqual([
      'consumed',
      'denied',
      'expired',
      'cancelled',
      'invalidated',
    ]);
  });
});

const REQUEST = payment();

/** How a request comes to a state, from filed on. */
const WAYS: Readonly<Record<ApprovalState, (world: World, id: string) => Promise<unknown>>> = {
  pending: async () => undefined,
  approved: ({ approvals }, id) => approvals.vote(id, approving(ada)),
  consumed: async ({ approvals, consume }, id) => {
    await approvals.vote(id, approving(ada));
    await consume(REQUEST);
  },
  denied: ({ approvals }, id) => approvals.vote(id, denying(ada)),
  expired: async ({ approvals, clock }) => {
    await clock.advance(600_000);
    await approvals.expireDue();
  },
  cancelled: ({ approvals }, id) => approvals.cancel(id, { by: ada, via: 'api' }),
  invalidated: ({ approvals }) => approvals.invalidate(() => true),
};

/** What is tried on a request, for it to come to a state. */
const TRIES: Readonly<
  Record<Exclude<ApprovalState, 'pending'>, (world: World, id: string) => Promise<unknown>>
> = {
  approved: ({ approvals }, id) => approvals.vote(id, approving({ id: 'bob', role: 'operator' })),
  consumed: ({ consume }) => consume(REQUEST),
  denied: ({ approvals }, id) => approvals.vote(id, denying({ id: 'bob', role: 'operator' })),
  expired: async ({ approvals, clock }) => {
    await clock.advance(86_400_000);
    await approvals.expireDue();
  },
  cancelled: ({ approvals }, id) => approvals.cancel(id, { by: ada, via: 'api' }),
  invalidated: ({ approvals }) => approvals.invalidate(() => true),
};

const TRIED = APPROVAL_STATES.flatMap((from) =>
  (['approved', 'consumed', 'denied', 'expired', 'cancelled', 'invalidated'] as const).map(
    (to) => ({
      from,
      to,
    }),
  ),
);

describe('a request in the queue', () => {
  it.each(TRIED)('tried from $from to $to, moves only as the table says', async ({ from, to }) => {
    await using world = openWorld();
    const { approvalId } = await world.file(REQUEST);
    await WAYS[from](world, approvalId);
    expect(world.approvals.get(approvalId)?.state).toBe(from);
    const entriesBefore = world.approvals.stepsOf(approvalId).length;
    const code = await TRIES[to](world, approvalId).then(() => 'GOVERNANCE_', codeOf);
    expect(code).toMatch(/^GOVERNANCE_/);
    const isLegal = LEGAL.includes(`${from} -> ${to}`);
    expect(world.approvals.get(approvalId)?.state).toBe(isLegal ? to : from);
    expect(world.approvals.stepsOf(approvalId).length > entriesBefore).toBe(isLegal);
  });
});

function codeOf(error: unknown): string {
  return String(Reflect.get(Object(error), 'code'));
}
