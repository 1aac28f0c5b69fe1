import type { PolicyDocument } from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STRICTNESS } from './asking.ts';
import { decide, load, policies, questions, ruleLists } from './random-policy.ts';
import { expectedOf } from './reference.ts';

const meetings = fc.tuple(policies, fc.array(questions, { minLength: 10, maxLength: 10 }));

function loaded(rules: readonly object[]) {
  const result = load(rules);
  return result.ok ? result.policy : undefined;
}

describe('whatever the policy', () => {
  it('the order of its rules changes nothing of a decision', () => {
    fc.assert(
      fc.property(meetings, fc.infiniteStream(fc.nat(1_000)), ([policy, asked], draws) => {
        const shuffled = policy.document.rules
          .map((rule) => ({ rule, at: draws.next().value }))
          .toSorted((a, b) => a.at - b.at);
        const other = loaded(shuffled.map(({ rule }) => rule));
        expect(other).toBeDefined();
        if (!other) return;
        for (const question of asked)
          expect({ ...decide(other, question), policyDigest: '' }).toEqual({
            ...decide(policy, question),
            policyDigest: '',
          });
      }),
    );
  });

  it('one more rule that blocks lets nothing more happen', () => {
    fc.assert(
      fc.property(meetings, policies, ([policy, asked], others) => {
        const blocks = others.document.rules
          .filter(({ block, mode }) => block && mode !== 'shadow')
          .map((rule) => ({ ...rule, id: `more-${rule.id}` }));
        // Rules that the new ones leave without effect would be refused; without them, as much is blocked.
        let rules: readonly object[] = [...policy.document.rules, ...blocks];
        for (let result = load(rules); !result.ok; result = load(rules)) {
          const { path } = result.problems[0] ?? { path: '' };
          rules = rules.filter((_rule, n) => n !== Number(path.split('.')[1]));
        }
        const more = loaded(rules);
        expect(more).toBeDefined();
        if (!more) return;
        for (const question of asked)
          expect(STRICTNESS[decide(more, question).outcome]).toBeGreaterThanOrEqual(
            STRICTNESS[decide(policy, question).outcome],
          );
      }),
    );
  });

  it('a value of a wrong type is treated no better than the worst of the right type', () => {
    const misfits = {
      n: ['5', null, [], {}, true, undefined, Number.NaN, Infinity],
      t: [5, null, ['red'], {}, true, undefined],
      f: ['true', 1, 0, null, [], undefined],
    } as const;
    const fitting = {
      n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      t: ['red', 'green', 'Blue', 'black'],
      f: [true, false],
    } as const;
    fc.assert(
      fc.property(meetings, fc.constantFrom('n', 't', 'f'), ([policy, asked], name) => {
        // What says `exists` speaks of whether there is a value, not of its type; and so may `undefined`.
        const speaksOfExistence = policy.document.rules.some(
          ({ when }) => when.args?.[name]?.exists !== undefined,
        );
        for (const question of asked) {
          const right = fitting[name].map((value) =>
            decide(policy, { ...question, input: { ...question.input, [name]: value } }),
          );
          const strictest = Math.max(...right.map(({ outcome }) => STRICTNESS[outcome]));
          const highest = Math.max(...right.map(({ tier }) => tier));
          for (const value of misfits[name]) {
            if (value === undefined && speaksOfExistence) continue;
            const wrong = decide(policy, {
              ...question,
              input: { ...question.input, [name]: value },
            });
            expect(STRICTNESS[wrong.outcome]).toBeGreaterThanOrEqual(strictest);
            expect(wrong.tier).toBeGreaterThanOrEqual(highest);
          }
        }
      }),
    );
  });

  it('no tier is below the one that the tool declares', () => {
    fc.assert(
      fc.property(meetings, ([policy, asked]) => {
        for (const question of asked)
          expect(decide(policy, question).tier).toBeGreaterThanOrEqual(question.declaredTier ?? 1);
      }),
    );
  });

  it('what is allowed or asked for names a rule that lets it run; what is denied has no limits', () => {
    fc.assert(
      fc.property(meetings, ([policy, asked]) => {
        for (const question of asked) {
          const { outcome, rule, limits } = decide(policy, question);
          const said = policy.document.rules.find(({ id }) => id === rule);
          const isConsistent = {
            allow: said?.allow === true,
            approve: said?.approve !== undefined,
            deny: limits.length === 0,
          };
          expect(isConsistent[outcome]).toBe(true);
        }
      }),
    );
  });

  it('a rule that is refused because it can never decide would have changed no outcome', () => {
    const seen = { refused: 0 };
    fc.assert(
      fc.property(ruleLists, fc.array(questions, { minLength: 20 }), (rules, asked) => {
        const result = load(rules);
        const useless = result.ok
          ? []
          : result.problems
              .filter(({ message }) => message.includes('can never decide'))
              .map(({ path }) => Number(path.split('.')[1]));
        seen.refused += useless.length;
        for (const index of useless) {
          const all = documentOf(rules);
          const without = documentOf(rules.filter((_rule, n) => n !== index));
          for (const question of asked)
            expect(expectedOf(without, question).outcome).toBe(expectedOf(all, question).outcome);
        }
      }),
      { numRuns: 300 },
    );
    expect(seen.refused).toBeGreaterThan(50);
  });
});

/** As a reader that checks nothing would take it. */
function documentOf(rules: readonly object[]): PolicyDocument {
  return JSON.parse(JSON.stringify({ version: 1, rules }));
}
