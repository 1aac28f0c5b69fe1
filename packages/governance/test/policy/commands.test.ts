import type { Actor } from '@buddy/core';
import {
  checkPolicy,
  explainPolicy,
  type LoadedPolicy,
  type PastDecision,
  type PolicyDecision,
  replayCommand,
  replayPolicy,
  testPolicy,
} from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask, policyOf, policyWith } from './asking.ts';
import { decide, policies, questions } from './random-policy.ts';

const source = 'p.yaml';
const TEXT = `version: 1
rules:
  - id: small
    description: Small refunds need nobody.
    when: { action: pay.refund, args: { amount: { max: 50 } } }
    tier: 2
    allow: true
    limit: { spend: 500 EUR, amount: amount, per: day, by: agent }
tests:
  - { name: small is fine, given: { action: pay.refund, args: { amount: 40 } }, expect: allow }
`;

describe('policy check', () => {
  it('says that a policy is good, and ends with 0', () => {
    const { text, exitCode } = checkPolicy(TEXT, { source });
    expect(text).toMatch(
      /^p\.yaml is good: 1 rules \(0 in shadow mode\), 1 examples pass\.\nDigest [0-9a-f]{64}\n$/,
    );
    expect(exitCode).toBe(0);
  });

  it('lists what is wrong, and ends with 1', () => {
    const { text, json, exitCode } = checkPolicy(TEXT.replace('tier: 2', 'teir: 2'), { source });
    expect(text).toBe('p.yaml:6:5: `rules.0.teir` is no word of a policy. Did you mean `tier`?\n');
    expect(json).toMatchObject({ ok: false, problems: [{ code: 'UNKNOWN_KEY' }] });
    expect(exitCode).toBe(1);
  });
});

describe('policy test', () => {
  it('tells of each example how it came out', () => {
    expect(testPolicy(TEXT, { source })).toMatchObject({
      text: 'ok      small is fine\n1 of 1 examples pass.\n',
      exitCode: 0,
    });
    const failing = testPolicy(TEXT.replace('amount: 40', 'amount: 60'), { source });
    expect(failing.text).toBe(
      'FAILED  small is fine: expected allow, and got block by no rule (UNKNOWN_ACTION)\n0 of 1 examples pass.\n',
    );
    expect(failing.exitCode).toBe(1);
  });
});

describe('policy explain', () => {
  it('says what is decided, on what, and what came near', () => {
    const request = {
      action: 'pay.refund',
      actor: { kind: 'agent', id: 'a' },
      declaredTier: 2,
    } as const;
    const allowed = explainPolicy(TEXT, { source }, { ...request, input: { amount: 12.5 } });
    expect(allowed.text.split('\n').slice(0, -2)).toEqual([
      'ALLOW, tier 2 (POLICY_ALLOWED)',
      'Rule small allows it, at tier 2.',
      'Why the rule is there: Small refunds need nobody.',
      '  looked at  tool.tier = 2',
      '  looked at  input.amount = 12.5',
      '  limit      small: 1250 of 50000 minor units of EUR per 1440 min, by agent',
    ]);
    const blocked = explainPolicy(TEXT, { source }, { ...request, input: { amount: 900 } });
    expect(blocked.text).toContain(
      '  nearest    small: input.amount is 900, and must be at most 50\n',
    );
    expect(blocked).toMatchObject({ exitCode: 0, json: { outcome: 'deny' } });
  });
});

const ACTOR: Actor = { kind: 'agent', id: 'a' };

/** What the log would hold of a call under a policy. */
function past(policy: LoadedPolicy, action: string, input: unknown, seq = 0): PastDecision {
  const { outcome, tier, rule, reasonCode, facts } = ask(policy, action, input, { actor: ACTOR });
  return {
    seq,
    at: 0,
    actor: ACTOR,
    action,
    tier,
    decision: outcome,
    rule,
    reasonCode,
    approvalId: null,
    facts,
  };
}

describe('policy replay', () => {
  const old = policyOf(TEXT);
  const entries = [40, 60].map((amount, seq) => past(old, 'pay.refund', { amount }, seq));

  it('lists the decisions that would change, which way and why', async () => {
    const stricter = TEXT.replace('max: 50', 'max: 20').replace('amount: 40', 'amount: 4');
    const { text, exitCode } = await replayCommand(stricter, { source }, entries);
    expect(text).toBe(
      `2 decisions: 1 would change, 1 would not.
  stricter #0 1970-01-01T00:00:00.000Z a pay.refund: allow (tier 2, small) -> deny (tier 1, default)
`,
    );
    expect(exitCode).toBe(1);
    expect(await replayCommand(TEXT, { source }, entries)).toMatchObject({
      text: '2 decisions: 0 would change, 2 would not.\n',
      exitCode: 0,
    });
  });

  it('guesses nothing that the log does not hold', async () => {
    const other = policyWith(
      '{ id: a, when: { action: pay.refund, args: { amount: { max: 50 }, country: { equals: DE } } }, tier: 2, allow: true }',
    );
    const replay = await replayPolicy(other, entries);
    expect(replay.unknown).toEqual([{ seq: 0, action: 'pay.refund', missing: ['input.country'] }]);
    // 60 is too much, whatever the country.
    expect(replay).toMatchObject({ total: 2, unchanged: 1, changed: [] });
  });

  it('takes what a person approved for an approval, and leaves out what no policy decided', async () => {
    const asking = policyWith('{ id: a, when: { action: pay.refund }, tier: 3, approve: {} }');
    const [entry] = [past(asking, 'pay.refund', {})];
    if (!entry) throw new Error('there is one');
    const replay = await replayPolicy(asking, [
      entry,
      { ...entry, decision: 'allow', approvalId: 'ap-1' },
      { ...entry, decision: 'deny', reasonCode: 'APPROVAL_DENIED', approvalId: 'ap-1' },
      { ...entry, decision: 'deny', reasonCode: 'LIMIT_REACHED' },
      { ...entry, decision: 'deny', reasonCode: 'KILL_SWITCH' },
    ]);
    expect(replay).toEqual({ total: 5, unchanged: 3, changed: [], unknown: [], notByPolicy: 2 });
  });

  it('of the same policy changes no decision, and misses only texts that facts do not hold whole', () => {
    fc.assert(
      fc.property(policies, questions, (policy, question) => {
        const decision = decide(policy, question);
        const replayed = policy.decideRecorded({ ...question, facts: decision.facts });
        const before = essence(decision);
        const after = replayed.ok ? essence(replayed.decision) : before;
        expect(after).toEqual(before);
        expect(replayed.ok || JSON.stringify(question.input).includes('\u200B')).toBe(true);
      }),
    );
  });
});

/** Without what is worded by values that the facts may not hold whole. */
function essence({
  facts: _facts,
  nearest: _nearest,
  explanation: _said,
  ...rest
}: PolicyDecision) {
  return rest;
}
