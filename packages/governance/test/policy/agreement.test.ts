import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CedarPolicy } from './cedar.ts';
import { decide, policies, questions } from './random-policy.ts';
import { expectedOf } from './reference.ts';

/** Pairs of a policy and a request; the nightly script asks for a million. */
const CASES = Number(process.env['BUDDY_CASES'] ?? 10_000);
const PER_POLICY = 40;
const MS_PER_CASE = 10;

const meetings = fc.tuple(
  policies,
  fc.array(questions, { minLength: PER_POLICY, maxLength: PER_POLICY }),
);
const settings = { numRuns: Math.ceil(CASES / PER_POLICY) };
const timeout = 30_000 + CASES * MS_PER_CASE;

describe(`over ${CASES} random policies and requests`, () => {
  it('a decision is what a naive reading of the policy gives', { timeout }, () => {
    const seen = { allow: 0, approve: 0, deny: 0 };
    fc.assert(
      fc.property(meetings, ([policy, asked]) => {
        for (const question of asked) {
          const decision = decide(policy, question);
          seen[decision.outcome] += 1;
          expect({
            outcome: decision.outcome,
            tier: decision.tier,
            limits: decision.limits.length,
            quorum: decision.approval?.quorum,
            shadow: decision.shadow.map(({ rule }) => rule).toSorted(),
          }).toEqual(expectedOf(policy.document, question));
        }
      }),
      settings,
    );
    // Else the draws would show nothing.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(CASES / 100);
  });

  it("a decision is Cedar's, too", { timeout }, () => {
    fc.assert(
      fc.property(meetings, ([policy, asked]) => {
        const cedar = new CedarPolicy(policy.document);
        for (const question of asked)
          expect(decide(policy, question).outcome).toBe(cedar.outcome(question));
      }),
      settings,
    );
  });
});
