import type { AuditEntryBody } from '../../packages/governance/src/index.ts';

const POLICY = '5c3bf4b84f7c5b87a4f6b1a0e3d05d1ccb0dbe1fd8b7b3d0cf0b8e1b6e54c8a1';

/** An intent such as the gate writes, with all its fields filled. */
export function intentOf(nth: number): AuditEntryBody {
  return {
    kind: 'intent',
    decision: 'allow',
    runId: `run-${nth % 500}`,
    taskId: `task-${nth}`,
    actor: { kind: 'agent', id: `agent-${nth % 64}` },
    action: `crm.contacts.action_${nth % 40}`,
    tier: nth % 3 === 0 ? 3 : 2,
    rule: 'crm-writes',
    reasonCode: 'POLICY_ALLOWED',
    rationale: 'The contact was found in the search, and is not in the CRM yet',
    facts: { 'tool.tier': 2, 'actor.kind': 'agent', 'input.amount': nth % 100 },
    argumentsDigest: `hmac-sha256:${POLICY}`,
    approvalId: null,
    policyDigest: POLICY,
  };
}

export function outcomeOf(nth: number, intentSeq: number): AuditEntryBody {
  return {
    kind: 'outcome',
    intentSeq,
    runId: `run-${nth % 500}`,
    actor: { kind: 'agent', id: `agent-${nth % 64}` },
    action: `crm.contacts.action_${nth % 40}`,
    tier: nth % 3 === 0 ? 3 : 2,
    outcome: 'succeeded',
    errorCode: null,
    durationMs: 41.25,
    tokens: null,
    cost: null,
    policyDigest: POLICY,
  };
}

export function refusalOf(nth: number): AuditEntryBody {
  const { kind: _kind, decision: _decision, ...of } = intentFields(nth);
  return {
    ...of,
    kind: 'refusal',
    decision: 'deny',
    rule: 'no-deletes',
    reasonCode: 'POLICY_BLOCKED',
  };
}

function intentFields(nth: number): Extract<AuditEntryBody, { kind: 'intent' }> {
  const entry = intentOf(nth);
  if (entry.kind !== 'intent') throw new Error('An intent is an intent');
  return entry;
}
