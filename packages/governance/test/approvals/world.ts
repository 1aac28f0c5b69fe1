import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countingId, ManualClock } from '@buddy/core';
import {
  type ApprovalRequest,
  APPROVALS_MIGRATIONS,
  type ApprovalsInput,
  type ApprovalsPorts,
  type AuditedLedger,
  createApprovals,
  type LedgerPorts,
  openLedger,
  type Person,
} from '@buddy/governance';

export const SECRET = new Uint8Array(32).fill(7);

export const ada: Person = { id: 'ada', role: 'operator' };
export const bob: Person = { id: 'bob', role: 'operator' };
export const eve: Person = { id: 'eve', role: 'operator' };
export const admin: Person = { id: 'root', role: 'admin' };
export const viewer: Person = { id: 'vic', role: 'viewer' };

/** A file that is gone when the test is over. */
export function temporaryFile(): Disposable & { file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-approvals-'));
  return {
    file: join(folder, 'governance.db'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A queue of its own, with a clock that is moved by hand. */
export function openWorld(
  options: ApprovalsInput = {},
  {
    file = ':memory:',
    commit,
    isWatched = false,
    ...ports
  }: Partial<ApprovalsPorts> &
    Pick<LedgerPorts, 'commit'> & {
      file?: string;
      /** Whether what is due is written when it is. */
      isWatched?: boolean;
    } = {},
) {
  const clock = new ManualClock();
  const ledger: AuditedLedger = openLedger(
    { file },
    { clock, migrations: APPROVALS_MIGRATIONS, ...(commit && { commit }) },
  );
  const approvals = createApprovals(
    { mode: 'dev', ...options },
    {
      ledger,
      secret: SECRET,
      clock,
      newId: countingId('approval'),
      ...ports,
    },
  );
  const watch = isWatched ? approvals.watchDue() : undefined;
  return {
    clock,
    ledger,
    approvals,
    file: (request: ApprovalRequest) =>
      ledger.write((transaction) => approvals.file(transaction, request)),
    claim: (request: ApprovalRequest) =>
      ledger.write((transaction) => approvals.claim(transaction, request)),
    consume: (request: ApprovalRequest, approvalId?: string) =>
      ledger.write((transaction) =>
        approvals.consume(transaction, {
          idempotencyKey: request.idempotencyKey,
          ...(approvalId !== undefined && { approvalId }),
          bindingDigest: approvals.bindingOf(request),
          runId: request.runId,
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      await watch?.[Symbol.asyncDispose]();
      await ledger.close();
    },
  };
}
export type World = ReturnType<typeof openWorld>;

/** What an agent asks for: to pay somebody. */
export function payment(changed: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    action: 'payments.refund',
    actor: { kind: 'agent', id: 'agent-7' },
    tier: 3,
    input: { to: 'carol@example.com', amount: 40, currency: 'EUR' },
    toolDigest: 'tool-v1',
    policyDigest: 'policy-v1',
    idempotencyKey: 'task-1',
    rationale: 'The parcel never came',
    rule: 'refund-large',
    runId: 'run-1',
    taskId: null,
    demand: { from: ['operator', 'admin'], quorum: 1, not: ['requester'], expiresMs: 600_000 },
    ...changed,
  };
}

export function demanding(changed: Partial<ApprovalRequest['demand']>): ApprovalRequest['demand'] {
  return { ...payment().demand, ...changed };
}

export function approving(by: Person) {
  return { by, vote: 'approve', via: 'api' } as const;
}

export function denying(by: Person) {
  return { by, vote: 'deny', via: 'api' } as const;
}
