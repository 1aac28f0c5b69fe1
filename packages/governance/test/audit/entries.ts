import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEntryBody } from '@buddy/governance';
import { onTestFinished } from 'vitest';

type Of<Kind extends AuditEntryBody['kind']> = Extract<AuditEntryBody, { kind: Kind }>;

const ofAction = {
  runId: 'run-1',
  taskId: null,
  actor: { kind: 'agent', id: 'ada' },
  action: 'crm.contacts.upsert',
  tier: 2,
  rule: 'contacts',
  rationale: 'The contact asked for it',
  facts: { 'input.amount': 40 },
  argumentsDigest: 'hmac-sha256:00',
  approvalId: null,
  policyDigest: 'ab',
} as const;

export function intent(changes: Partial<Of<'intent'>> = {}): Of<'intent'> {
  return {
    ...ofAction,
    kind: 'intent',
    decision: 'allow',
    reasonCode: 'POLICY_ALLOWED',
    ...changes,
  };
}

export function refusal(changes: Partial<Of<'refusal'>> = {}): Of<'refusal'> {
  return {
    ...ofAction,
    kind: 'refusal',
    decision: 'deny',
    reasonCode: 'POLICY_BLOCKED',
    ...changes,
  };
}

export function outcome(intentSeq: number, changes: Partial<Of<'outcome'>> = {}): Of<'outcome'> {
  return {
    kind: 'outcome',
    intentSeq,
    runId: 'run-1',
    actor: { kind: 'agent', id: 'ada' },
    action: 'crm.contacts.upsert',
    tier: 2,
    outcome: 'succeeded',
    errorCode: null,
    durationMs: 12.5,
    tokens: { in: 10, out: 20 },
    cost: { amount: 3, currency: 'EUR' },
    policyDigest: 'ab',
    ...changes,
  };
}

export function approval(approvalId: string, event: Of<'approval'>['event']): Of<'approval'> {
  const by = { kind: 'human', id: 'bob' } as const;
  return { kind: 'approval', event, approvalId, action: 'mail.send', by, via: 'form' };
}

/** Gone when the test is over. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function newFile(): string {
  return join(newFolder(), 'governance.db');
}
