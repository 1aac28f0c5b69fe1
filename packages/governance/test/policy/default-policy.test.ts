import { readFile } from 'node:fs/promises';
import type { Tier } from '@buddy/core';
import { defaultPolicyFile } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ask, askUndeclared, policyOf } from './asking.ts';

const policy = policyOf(await readFile(defaultPolicyFile, 'utf8'));

describe('the default policy', () => {
  it.each<[string, string, Tier]>([
    ['searching prospects', 'mployer.contacts.search', 1],
    ['looking at a prospect', 'mployer.contacts.get', 1],
    ['finding a contact in the CRM', 'gohighlevel.contacts.find', 1],
    ['creating a contact', 'gohighlevel.contacts.create', 2],
    ['changing a contact', 'gohighlevel.contacts.update', 2],
    ['creating or changing a contact', 'gohighlevel.contacts.upsert', 2],
    ['searching the mailbox', 'msgraph.mail.search', 1],
    ['writing a draft', 'msgraph.mail.draft', 2],
    ['running a program in the sandbox', 'sandbox.run', 1],
    ['doing the stand-in of the example', 'example.tasks.do', 1],
  ])('allows %s', (_what, action, tier) => {
    expect(ask(policy, action, {}, { declaredTier: tier })).toMatchObject({
      outcome: 'allow',
      tier,
    });
  });

  it.each([
    ['creating a user', 'gohighlevel.users.create'],
    ['making an API key', 'gohighlevel.api_keys.create'],
    ['deleting all contacts', 'gohighlevel.contacts.delete_all'],
    ['deleting contacts in bulk', 'gohighlevel.contacts.bulk_delete'],
    ['granting rights to a mailbox', 'msgraph.permissions.grant'],
    ['making a rule that forwards mail', 'msgraph.rules.create'],
    ['changing the policy', 'governance.policy.load'],
    ['approving its own request', 'approvals.approve'],
    ['paying somebody', 'payments.refund'],
    ['exporting the CRM', 'gohighlevel.contacts.export'],
  ])('blocks %s', (_what, action) => {
    expect(ask(policy, action)).toMatchObject({ outcome: 'deny', limits: [] });
    expect(askUndeclared(policy, action)).toMatchObject({ outcome: 'deny', tier: 4 });
  });

  it.each([
    ['sending a mail', 'msgraph.mail.send'],
    ['forwarding a mail', 'msgraph.mail.forward'],
    ['deleting a contact', 'gohighlevel.contacts.delete'],
    ['deleting a mail', 'msgraph.mail.delete'],
  ])('asks a person about %s', (_what, action) => {
    expect(ask(policy, action)).toMatchObject({
      outcome: 'approve',
      tier: 3,
      approval: { from: ['admin', 'operator'], quorum: 1 },
    });
  });

  it('limits what changes the CRM, by agent and in all', () => {
    expect(
      ask(policy, 'gohighlevel.contacts.update', {}, { declaredTier: 2 }).limits,
    ).toMatchObject([
      { measure: 'calls', allowed: 2_000, by: 'agent', windowMs: 3_600_000, amount: 1 },
      { measure: 'calls', allowed: 20_000, by: 'all', windowMs: 86_400_000, amount: 1 },
    ]);
  });
});
