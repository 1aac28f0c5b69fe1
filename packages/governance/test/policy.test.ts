import { redactText } from '@buddy/core';
import { blockEverything, NO_POLICY_DIGEST } from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask, askUndeclared, policyOf, policyWith } from './policy/asking.ts';

const ALLOW_SMALL =
  '{ id: small, when: { action: pay.refund, args: { amount: { max: 50 } } }, tier: 2, allow: true }';
const ASK_LARGE =
  '{ id: large, when: { action: pay.refund, args: { amount: { min: 50 } } }, tier: 3, approve: { from: [operator], quorum: 2 } }';

describe('a decision', () => {
  it('is no for what no rule speaks of, and for everything without a policy', () => {
    const policy = policyWith(ALLOW_SMALL);
    expect(ask(policy, 'pay.charge')).toMatchObject({
      outcome: 'deny',
      reasonCode: 'NO_RULE_ALLOWS',
      rule: 'default',
    });
    expect(ask(blockEverything, 'pay.refund')).toMatchObject({
      outcome: 'deny',
      tier: 4,
      reasonCode: 'NO_POLICY',
      policyDigest: NO_POLICY_DIGEST,
    });
  });

  it('is what the rule says whose whole condition is met', () => {
    const policy = policyWith(ALLOW_SMALL, ASK_LARGE);
    expect(ask(policy, 'pay.refund', { amount: 40 })).toMatchObject({
      outcome: 'allow',
      tier: 2,
      rule: 'small',
    });
    expect(ask(policy, 'pay.refund', { amount: 900 })).toMatchObject({
      outcome: 'approve',
      tier: 3,
      rule: 'large',
      approval: { from: ['operator'], quorum: 2, not: ['requester'], expiresMs: 3_600_000 },
    });
  });

  it('lets block win over approve, and approve over allow', () => {
    const allow = '{ id: a, when: { action: x.** }, allow: true }';
    const approve = '{ id: b, when: { action: x.y.* }, approve: {} }';
    const block = '{ id: c, when: { action: x.y.z }, block: true }';
    const policy = policyWith(allow, approve, block);
    expect(ask(policy, 'x.a')).toMatchObject({ outcome: 'allow', rule: 'a' });
    expect(ask(policy, 'x.y.a')).toMatchObject({ outcome: 'approve', rule: 'b' });
    expect(ask(policy, 'x.y.z')).toMatchObject({
      outcome: 'deny',
      rule: 'c',
      reasonCode: 'POLICY_BLOCKED',
    });
  });

  it('takes the highest of all tiers that are said, and is no at tier 4', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x }, tier: 2, allow: true }',
      '{ id: b, when: { action: x, args: { all: { equals: true } } }, tier: 3, allow: true }',
    );
    expect(ask(policy, 'x', { all: false })).toMatchObject({ outcome: 'allow', tier: 2 });
    expect(ask(policy, 'x', { all: true })).toMatchObject({ outcome: 'allow', tier: 3 });
    expect(ask(policy, 'x', { all: false }, { declaredTier: 3 })).toMatchObject({ tier: 3 });
    expect(ask(policy, 'x', {}, { declaredTier: 4 })).toMatchObject({
      outcome: 'deny',
      reasonCode: 'TIER_FORBIDDEN',
    });
    // Of a caller in JavaScript.
    expect(ask(policy, 'x', {}, { declaredTier: JSON.parse('7') })).toMatchObject({
      outcome: 'deny',
      tier: 4,
    });
  });

  it('counts as tier 4 what nobody gave a tier, even if a rule allows it', () => {
    const policy = policyWith('{ id: a, when: { action: x.* }, allow: true }');
    expect(askUndeclared(policy, 'x.y')).toMatchObject({
      outcome: 'deny',
      tier: 4,
      reasonCode: 'UNKNOWN_ACTION',
    });
    expect(ask(policy, 'x.y', {}, { declaredTier: 1 })).toMatchObject({ outcome: 'allow' });
  });

  it('knows the actor by kind and by id', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x, actor: { kind: [human, system] } }, allow: true }',
      '{ id: b, when: { action: x, actor: { kind: agent, id: "crm-*" } }, allow: true }',
    );
    const by = (kind: 'agent' | 'human' | 'system', id: string) =>
      ask(policy, 'x', {}, { actor: { kind, id } });
    expect(by('human', 'ada')).toMatchObject({
      outcome: 'allow',
      facts: { 'actor.kind': 'human', 'actor.id': 'ada' },
    });
    expect(by('agent', 'crm-7.eu')).toMatchObject({ outcome: 'allow', rule: 'b' });
    expect(by('agent', 'mail-7')).toMatchObject({
      outcome: 'deny',
      nearest: { rule: 'a', failed: 'actor.kind is agent, and must be human or system' },
    });
    expect(by('human', 'crm-7')).toMatchObject({ outcome: 'allow', rule: 'a' });
  });

  it('knows what the same actor did before, and asks only when it matters', () => {
    const policy = policyWith(
      '{ id: send, when: { action: mail.send }, allow: true }',
      '{ id: no-leak, when: { action: mail.send, args: { to: { equals: all } }, after: { action: crm.**, within: 30m } }, block: true }',
    );
    expect(ask(policy, 'mail.send', { to: 'all' }, { done: ['crm.read'] })).toMatchObject({
      outcome: 'deny',
      rule: 'no-leak',
      facts: { 'history: crm.** within 1800000 ms': true },
    });
    expect(ask(policy, 'mail.send', { to: 'all' }, { done: ['web.read'] })).toMatchObject({
      outcome: 'allow',
    });
    const asked: number[] = [];
    const hasDone = (_actor: unknown, _matches: unknown, since: number) => asked.push(since) > 0;
    const request = {
      action: 'mail.send',
      actor: { kind: 'agent', id: 'a' },
      declaredTier: 1,
      at: 5_000_000,
    } as const;
    policy.decide({ ...request, input: { to: 'ada' } }, { hasDone });
    expect(asked).toEqual([]);
    policy.decide({ ...request, input: { to: 'all' } }, { hasDone });
    expect(asked).toEqual([5_000_000 - 1_800_000]);
  });

  it('meets the demands of all rules that ask for approval, and is no where nobody can', () => {
    const both = policyWith(
      '{ id: a, when: { action: x }, approve: { from: [admin, operator], quorum: 2, expires: 2h } }',
      '{ id: b, when: { action: "*" }, approve: { from: [operator], quorum: 1, not: [owner], expires: 1h } }',
    );
    expect(ask(both, 'x')).toMatchObject({
      rule: 'a',
      approval: {
        from: ['operator'],
        quorum: 2,
        not: ['owner', 'requester'],
        expiresMs: 3_600_000,
      },
    });
    const nobody = policyWith(
      '{ id: a, when: { action: x }, approve: { from: [admin] } }',
      '{ id: b, when: { action: "*" }, approve: { from: [operator] } }',
    );
    expect(ask(nobody, 'x')).toMatchObject({ outcome: 'deny', reasonCode: 'POLICY_BLOCKED' });
  });

  it('takes what approve rules leave out from the defaults', () => {
    const policy = policyOf(
      'version: 1\ndefaults: { approve: { from: [admin], expires: 2d } }\nrules:\n  - { id: a, when: { action: x }, approve: { quorum: 3 } }',
    );
    expect(ask(policy, 'x').approval).toEqual({
      from: ['admin'],
      quorum: 3,
      not: ['requester'],
      expiresMs: 172_800_000,
    });
  });

  it('demands the limits of all rules that fit, with the amount in minor units, rounded up', () => {
    const policy = policyWith(
      '{ id: a, when: { action: pay.* }, allow: true, limit: [{ calls: 5, per: minute, by: run }, { spend: 500.50 EUR, amount: total.amount, currency: total.currency, per: day, by: agent }] }',
      '{ id: b, when: { action: "**" }, allow: true, limit: { tokens: 1000, counted: afterwards, per: 2h, by: all } }',
    );
    expect(
      ask(policy, 'pay.refund', { total: { amount: 12.341, currency: 'EUR' } }).limits,
    ).toEqual([
      { rule: 'a', measure: 'calls', allowed: 5, windowMs: 60_000, by: 'run', amount: 1 },
      {
        rule: 'a',
        measure: 'spend',
        allowed: 50_050,
        currency: 'EUR',
        windowMs: 86_400_000,
        by: 'agent',
        amount: 1_235,
      },
      {
        rule: 'b',
        measure: 'tokens',
        allowed: 1_000,
        windowMs: 7_200_000,
        by: 'all',
        amount: 0,
        isCountedAfterwards: true,
      },
    ]);
  });

  it.each([-1, '5', Number.NaN, Infinity, 1e300, null, undefined, [5]])(
    'is no when the amount that a limit counts is %s',
    (amount) => {
      const policy = policyWith(
        '{ id: a, when: { action: x }, allow: true, limit: { spend: 5 EUR, amount: amount, per: day, by: all } }',
      );
      expect(ask(policy, 'x', { amount })).toMatchObject({
        outcome: 'deny',
        reasonCode: 'INPUT_UNSAFE',
        rule: 'a',
      });
    },
  );

  it.each([
    [1.1, 'EUR', 110],
    [0.29, 'EUR', 29],
    [0.001, 'EUR', 1],
    [0, 'EUR', 0],
    [1500, 'JPY', 1500],
    [1.5, 'KWD', 1500],
  ])('counts %d %s as %d minor units', (amount, currency, minor) => {
    const policy = policyWith(
      `{ id: a, when: { action: x }, allow: true, limit: { spend: 5 ${currency}, amount: n, per: day, by: all } }`,
    );
    expect(ask(policy, 'x', { n: amount }).limits).toMatchObject([{ amount: minor, currency }]);
  });

  it('is no when a spend is in another currency than its limit', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x }, allow: true, limit: { spend: 5 EUR, amount: n, amount_in: minor, currency: c, per: day, by: all } }',
    );
    expect(ask(policy, 'x', { n: 5, c: 'EUR' })).toMatchObject({
      outcome: 'allow',
      limits: [{ amount: 5 }],
    });
    expect(ask(policy, 'x', { n: 5, c: 'JPY' })).toMatchObject({
      outcome: 'deny',
      reasonCode: 'INPUT_UNSAFE',
    });
  });

  it('only reports what rules in shadow mode would say', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x }, allow: true }',
      '{ id: b, when: { action: x, args: { n: { min: 5 } } }, block: true, tier: 4, mode: shadow }',
    );
    expect(ask(policy, 'x', { n: 9 })).toMatchObject({
      outcome: 'allow',
      tier: 1,
      shadow: [{ rule: 'b', outcome: 'deny' }],
    });
    expect(ask(policy, 'x', { n: 1 }).shadow).toEqual([]);
  });
});

describe('an explanation', () => {
  it('names the rule, the facts, the nearest rule that would have allowed and why it did not, and the policy', () => {
    const policy = policyWith(ALLOW_SMALL);
    expect(ask(policy, 'pay.refund', { amount: 900 })).toEqual({
      outcome: 'deny',
      tier: 1,
      rule: 'default',
      reasonCode: 'NO_RULE_ALLOWS',
      explanation:
        'No rule lets it run; the nearest, small, does not, for input.amount is 900, and must be at most 50.',
      facts: { 'tool.tier': 1, 'input.amount': 900 },
      limits: [],
      nearest: { rule: 'small', failed: 'input.amount is 900, and must be at most 50' },
      shadow: [],
      policyDigest: policy.digest,
    });
  });

  it('finds the rule with the fewest failed conditions', () => {
    const policy = policyWith(
      '{ id: far, when: { action: x, args: { a: { equals: 1 }, b: { equals: 1 } } }, allow: true }',
      '{ id: near, when: { action: x, args: { a: { equals: 2 }, b: { equals: 1 } } }, allow: true }',
    );
    expect(ask(policy, 'x', { a: 2, b: 2 }).nearest).toEqual({
      rule: 'near',
      failed: 'input.b is 2, and must be 1',
    });
  });

  it('tells by whom an allowed action is blocked all the same', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x.* }, allow: true }',
      '{ id: b, when: { action: x.y }, block: true }',
    );
    expect(ask(policy, 'x.y').nearest).toEqual({ rule: 'a', failed: 'rule b forbids it' });
  });

  it('is frozen all through, and holds no word that the agent wrote', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), (word) => {
        const policy = policyWith(
          '{ id: small, when: { action: pay.refund, args: { to: { in: [ada, bob] } } }, allow: true, limit: { calls: 1, per: day, by: all } }',
          '{ id: ask, when: { action: pay.refund, args: { to: { equals: eve } } }, approve: {} }',
        );
        const decision = ask(policy, 'pay.refund', { to: `zzzz${word}` });
        const { facts, ...said } = decision;
        expect(JSON.stringify(said)).not.toContain(`zzzz`);
        for (const part of [
          decision,
          facts,
          decision.limits,
          decision.shadow,
          ...decision.limits,
          decision.nearest,
        ])
          expect(Object.isFrozen(part)).toBe(true);
      }),
    ));

  it('digests the policy as it is written, by RFC 8785 and SHA-256', () => {
    // printf '%s' '{"rules":[{"allow":true,"id":"a","when":{"action":"x"}}],"version":1}' | sha256sum
    const policy = policyOf(
      'version: 1\nrules: # a comment\n  - when: { action: x }\n    id: a\n    allow: true\n',
    );
    expect(policy.digest).toBe('9ff8a40e0efabd516f1207af82c1d3ff171441da635d5853cb2a44c9b1438bf7');
    expect(ask(policy, 'x').policyDigest).toBe(policy.digest);
  });
});

describe('facts', () => {
  const policy = policyWith(
    '{ id: a, when: { action: x, args: { v: { equals: ok }, api_key: { exists: true } } }, allow: true }',
  );
  const factOf = (v: unknown) => ask(policy, 'x', { v }).facts['input.v'];

  it.each<[unknown, unknown]>([
    ['ok', 'ok'],
    [5, 5],
    [true, true],
    [null, null],
    [undefined, '[absent]'],
    [[1], '[list]'],
    [{ a: 1 }, '[object]'],
    [Number.NaN, '[not a number]'],
    [5n, '[unreadable]'],
    ['[absent]', '[text][absent]'],
    ['a\u202Eb', '[hidden characters] a\\u{202e}b'],
    ['x '.repeat(50), `[cut] ${'x '.repeat(32)}`],
    ['password=hunter2', '[redacted] password=[redacted:password]'],
  ])('keep %o as %o', (value, fact) => {
    expect(factOf(value)).toEqual(fact);
  });

  it('hold no value of a field that is named like a secret', () => {
    expect(ask(policy, 'x', { api_key: 'hello' }).facts['input.api_key']).toBe('[redacted]');
  });

  it('may keep short words of small letters as they are, for core finds no secret in them', () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z_]{0,12}$/), (word) => {
        expect(redactText(word)).toBe(word);
      }),
    ));

  it('cut a text only after secrets in it were found', () => {
    const secret = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N';
    const fact = factOf(`${'a '.repeat(25)}${secret}`);
    expect(fact).toMatch(/^\[redacted\] /);
    expect(fact).not.toContain('eyJhb');
  });
});

describe('hostile arguments', () => {
  const limited = policyWith(
    '{ id: allow, when: { action: x, args: { amount: { max: 50 } } }, allow: true }',
  );
  const guarded = policyWith(
    '{ id: allow, when: { action: x }, allow: true }',
    '{ id: block, when: { action: x, args: { amount: { min: 900 } } }, block: true }',
  );
  const named = policyWith(
    '{ id: allow, when: { action: x }, allow: true }',
    '{ id: block, when: { action: x, args: { to: { in: [mallory, Eve Adams] } } }, block: true }',
  );

  it.each([
    '900',
    '5',
    [5],
    { valueOf: 5 },
    null,
    true,
    Number.NaN,
    Infinity,
    5n,
    new Number(5),
    undefined,
  ])(
    'neither meet an allowing condition nor slip by a blocking one with %o in place of a number',
    (amount) => {
      expect(ask(limited, 'x', { amount })).toMatchObject({ outcome: 'deny' });
      expect(ask(guarded, 'x', { amount })).toMatchObject({ outcome: 'deny', rule: 'block' });
    },
  );

  it.each([
    ['inherited', Object.create({ amount: 5 })],
    ['of a polluted prototype', JSON.parse('{"__proto__":{"amount":5}}')],
    [
      'of a class',
      new (class {
        get amount() {
          return 5;
        }
      })(),
    ],
    ['no object', 'amount=5'],
    ['null', null],
    ['a list', [5]],
    [
      'a getter that throws',
      Object.defineProperty({}, 'amount', {
        enumerable: true,
        get() {
          throw new Error('no');
        },
      }),
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor() {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('are not read where the argument is %s', (_what, input) => {
    expect(ask(limited, 'x', input)).toMatchObject({ outcome: 'deny' });
    expect(ask(guarded, 'x', input)).toMatchObject({ outcome: 'deny' });
  });

  it.each([
    'mallory',
    'Mallory',
    ' mallory',
    'mall\u200Bory',
    'ｍａｌｌｏｒｙ',
    'mallory\u0000',
    'eve adams',
    'EVE ADAMS\u00AD',
    `${'\u200B'.repeat(5_000)}mallory`,
  ])('do not slip by a blocking text as %o', (to) => {
    expect(ask(named, 'x', { to })).toMatchObject({ outcome: 'deny', rule: 'block' });
  });

  it('meet an allowing text only exactly', () => {
    const policy = policyWith(
      '{ id: a, when: { action: x, args: { to: { equals: ada } } }, allow: true }',
    );
    expect(ask(policy, 'x', { to: 'ada' }).outcome).toBe('allow');
    for (const to of ['Ada', 'ada ', 'ad\u200Ba', ['ada'], { toString: () => 'ada' }])
      expect(ask(policy, 'x', { to }).outcome).toBe('deny');
  });

  it('of great size and depth are looked at no further than the rules say', () => {
    let deep: unknown = 5;
    for (let n = 0; n < 100_000; n += 1) deep = { deep };
    const policy = policyWith(
      '{ id: a, when: { action: x, args: { deep.deep: { exists: true }, text: { equals: a } } }, allow: true }',
    );
    const decision = ask(policy, 'x', { deep, text: 'a'.repeat(10_000_000) });
    expect(decision).toMatchObject({ outcome: 'deny', facts: { 'input.deep.deep': '[object]' } });
    expect(JSON.stringify(decision).length).toBeLessThan(1_000);
  });

  it.each(['', 'mail.send\u200B', 'mail send', 'm\u0430il.send', 'a'.repeat(257), '\u0000'])(
    'are no names of actions such as %o',
    (action) => {
      const policy = policyWith('{ id: a, when: { action: "**" }, allow: true }');
      expect(ask(policy, action)).toMatchObject({
        outcome: 'deny',
        reasonCode: 'INPUT_UNSAFE',
        tier: 4,
      });
    },
  );

  it('tell a missing argument from one that does not fit only where the rule says `exists`', () => {
    const policy = policyWith(
      '{ id: allow, when: { action: x }, allow: true }',
      '{ id: block, when: { action: x, args: { cc: { exists: true, in: [mallory] } } }, block: true }',
    );
    expect(ask(policy, 'x', {}).outcome).toBe('allow');
    expect(ask(policy, 'x', { cc: 'bob' }).outcome).toBe('allow');
    expect(ask(policy, 'x', { cc: ['mallory'] }).outcome).toBe('deny');
  });
});

describe('a pattern', () => {
  it.each([
    ['crm.*.read', 'crm.contacts.read', true],
    ['crm.*.read', 'crm.a.b.read', false],
    ['crm.*', 'crm.a', true],
    ['crm.*', 'crm.a.b', false],
    ['crm.*', 'crm', false],
    ['crm.**', 'crm.a.b.c', true],
    ['crm.**', 'crm', false],
    ['**.delete', 'a.b.delete', true],
    ['**.delete', 'delete', false],
    ['**', 'x', true],
    ['crm.get_*', 'crm.get_all', true],
    ['crm.get_*', 'crm.set_all', false],
    ['a.**.b.*.c', 'a.x.b.y.b.z.c', true],
    ['Crm.*', 'crm.a', false],
  ])('%s and %s: %s', (glob, action, fits) => {
    const policy = policyWith(`{ id: a, when: { action: "${glob}" }, allow: true }`);
    expect(ask(policy, action).outcome).toBe(fits ? 'allow' : 'deny');
  });
});
