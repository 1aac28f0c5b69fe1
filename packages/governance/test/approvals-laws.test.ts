import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  approving,
  demanding,
  denying,
  openWorld,
  payment,
  type World,
} from './approvals/world.ts';

const QUORUM = 2;
const EXPIRES_MS = 1_000;
const PEOPLE = ['ada', 'bob', 'eve'].map((id) => ({ id, role: 'operator' }) as const);

/** Two wishes for one piece of work: to file one invalidates the other. */
const WISHES = [40, 4_000].map((amount) =>
  payment({
    input: { amount },
    demand: demanding({ quorum: QUORUM, expiresMs: EXPIRES_MS }),
  }),
);

const Step = fc.oneof(
  fc.record({ do: fc.constant('claim' as const), wish: fc.nat(1) }),
  fc.record({ do: fc.constant('approve' as const), person: fc.nat(2), back: fc.nat(2) }),
  fc.record({ do: fc.constant('approve' as const), person: fc.nat(2), back: fc.nat(0) }),
  fc.record({ do: fc.constant('deny' as const), person: fc.nat(2), back: fc.nat(2) }),
  fc.record({ do: fc.constant('cancel' as const), person: fc.nat(2), back: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }),
);
type Step = typeof Step extends fc.Arbitrary<infer T> ? T : never;

/** What a bystander knows of a request: only what was done to it, and when. */
interface Witnessed {
  wish: number;
  approvedBy: Set<number>;
  isStopped: boolean;
  /** When it was filed, or got the last yes that it needed. */
  since: number;
}

class Bystander {
  readonly #requests = new Map<string, Witnessed>();
  readonly #world: World;
  granted = 0;
  readonly objections: unknown[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  async see(step: Step): Promise<void> {
    switch (step.do) {
      case 'claim':
        return this.#claim(step.wish);
      case 'wait':
        return this.#world.clock.advance(step.ms);
      case 'approve':
      case 'deny':
      case 'cancel':
        return this.#say(step.do, step.person, step.back);
    }
  }

  async #claim(wish: number): Promise<void> {
    const { claim, clock } = this.#world;
    const now = clock.now();
    const claimed = await claim(WISHES[wish] ?? payment());
    if (claimed.kind === 'waiting' && claimed.isNew) {
      for (const other of this.#requests.values()) other.isStopped = true;
      const request = { wish, approvedBy: new Set<number>(), isStopped: false, since: now };
      this.#requests.set(claimed.approvalId, request);
    }
    if (claimed.kind !== 'granted') return;
    const request = this.#requests.get(claimed.approvalId);
    const isGood =
      request?.wish === wish &&
      !request.isStopped &&
      request.approvedBy.size >= QUORUM &&
      now - request.since < EXPIRES_MS;
    if (!isGood) this.objections.push({ claimed, request, now });
    if (request) request.isStopped = true; // used
    this.granted += 1;
  }

  async #say(what: 'approve' | 'deny' | 'cancel', person: number, back: number): Promise<void> {
    const [id, request] = [...this.#requests].at(-1 - back) ?? [];
    const by = PEOPLE[person];
    if (id === undefined || !request || !by) return;
    const { approvals, clock } = this.#world;
    const said = await (
      what === 'cancel'
        ? approvals.cancel(id, { by, via: 'api' })
        : approvals.vote(id, what === 'approve' ? approving(by) : denying(by))
    ).then(
      () => true,
      () => false,
    );
    if (!said) return;
    if (what !== 'approve') request.isStopped = true;
    else if (!request.approvedBy.has(person)) {
      request.approvedBy.add(person);
      if (request.approvedBy.size === QUORUM) request.since = clock.now();
    }
  }
}

describe('whatever people and agents do, in whatever order', () => {
  it('nothing is let through but what enough people agreed to, just that, once, in time, and without a no', async () => {
    let granted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 4, maxLength: 24 }), async (steps) => {
        await using world = openWorld();
        const bystander = new Bystander(world);
        await bystander.see({ do: 'claim', wish: 0 });
        for (const step of steps) await bystander.see(step);
        expect(bystander.objections).toEqual([]);
        granted += bystander.granted;
      }),
      { numRuns: 150 },
    );
    expect(granted).toBeGreaterThan(0); // else it would have shown nothing
  });
});
