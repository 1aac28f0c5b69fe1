import { type Actor, type NewId, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { ApprovalDesk, ClaimResult } from '../gate/ports.ts';
import type { ApprovalVia } from '../ledger/entry.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { Role } from '../roles/roles.ts';
import type { Approval, ApprovalContent, ApprovalRequest } from './approval.ts';
import {
  countPending,
  findById,
  findForCall,
  findLastEnded,
  findNewestOfKey,
  findOpenOfWork,
  insertApproval,
  noteStep,
  sealedOf,
  wasDenied,
} from './approval-store.ts';
import type { Attestation } from './attestation.ts';
import { type BoundCall, bindingDigest, callDigest } from './binding.ts';
import { type People, voteObstacle } from './electorate.ts';
import { withPolicyAuthors } from './policy-authors.ts';
import {
  ApprovalChangedError,
  ApprovalMismatchError,
  ApprovalNotFoundError,
  ApprovalRequestError,
  ApprovalUnreadableError,
  NotApprovedError,
  TooManyPendingError,
} from './errors.ts';
import type { GrantBook } from './grants.ts';
import { advance, lapse, SYSTEM } from './lapse.ts';
import type { Seal } from './seal.ts';
import type { ApprovalDemand } from '../policy/decision.ts';
import { type ApprovalState, isOpen } from './state.ts';

export interface Filed {
  approvalId: string;
  /** False when the same was asked for before; then this is how that stands. */
  isNew: boolean;
  state: Approval['state'];
}

/** Which approval is to be used, and for what. */
export type Consumption = (
  | { approvalId: string; idempotencyKey?: string }
  | { idempotencyKey: string; approvalId?: string }
) & {
  /** Of what is about to be done: see `bindingOf`. */
  bindingDigest: string;
  /** The run that it is about to be done in. Default: any. */
  runId?: string | null;
};

export interface DeskParts {
  bindingKey: Uint8Array;
  seal: Seal;
  attestation: Attestation;
  grants: GrantBook;
  people: People;
  newId: NewId;
  maxPendingPerActor: number;
  escalation: { afterShare: number; to: readonly Role[] } | undefined;
  /** Whether requests are approved by nobody's word at that moment. */
  isFast: (at: number) => boolean;
  /** Hears of a request whose rows are not as they were written. */
  onChanged: (approvalId: string) => void;
  /** Hears when a request that is being filed expires or is escalated, ms since the epoch. */
  onDue: (at: number) => void;
}

/** Where requests are filed and approvals used: inside the transaction of whoever acts, all of it synchronous. */
export class Desk implements ApprovalDesk {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  bindingOf(call: BoundCall): string {
    return bindingDigest(this.#parts.bindingKey, call);
  }

  file(transaction: LedgerTransaction, request: ApprovalRequest): Filed {
    const { approval, isNew } = this.#file(transaction, request);
    return { approvalId: approval.id, isNew, state: approval.state };
  }

  claim(transaction: LedgerTransaction, request: ApprovalRequest): ClaimResult {
    const { approval, isNew } = this.#file(transaction, request);
    const approvalId = approval.id;
    switch (approval.state) {
      case 'pending': {
        const word = this.#wordBeforehand(transaction, request);
        if (!word) return { kind: 'waiting', approvalId, isNew };
        const approved = advance(transaction, approval, 'approved', word);
        this.#use(transaction, approved, request.actor);
        return { kind: 'granted', approvalId, via: word.via };
      }
      case 'approved': {
        if (this.#isStillAgreed(transaction, approval)) {
          return {
            kind: 'granted',
            approvalId,
            via: this.#use(transaction, approval, request.actor),
          };
        }
        advance(transaction, approval, 'invalidated', { by: SYSTEM });
        return this.claim(transaction, request);
      }
      case 'denied':
      case 'expired':
      case 'cancelled':
        return { kind: 'refused', approvalId, reason: approval.state };
      case 'consumed':
      case 'invalidated':
        throw new Error(`Approval ${approvalId} was found ${approval.state} after it was filed`);
    }
  }

  consume(transaction: LedgerTransaction, consumption: Consumption, by: Actor = SYSTEM) {
    const approval = this.#toConsume(transaction, consumption);
    const { id, state, expiresAt } = approval;
    if (state !== 'approved') throw new NotApprovedError(id, state);
    if (expiresAt <= transaction.at) throw new NotApprovedError(id, state, 'it has expired');
    if (!this.#isGenuine(transaction, approval)) throw new ApprovalChangedError(id);
    if (!this.#isStillAgreed(transaction, approval)) {
      throw new NotApprovedError(id, state, 'who agreed may not agree any more');
    }
    return { approvalId: id, via: this.#use(transaction, approval, by) };
  }

  /** What a request is about; undefined once it is erased. */
  contentOf(
    database: LedgerTransaction['database'],
    approval: Approval,
  ): ApprovalContent | undefined {
    const sealed = sealedOf(database, approval.id);
    if (!sealed) return undefined;
    try {
      const { input, ...content } = Content.parse(
        JSON.parse(this.#parts.seal.open(sealed, labelOf(approval.id, approval.bindingDigest))),
      );
      return { input, ...content };
    } catch (error) {
      throw new ApprovalUnreadableError(approval.id, { cause: error });
    }
  }

  #file(
    transaction: LedgerTransaction,
    request: ApprovalRequest,
  ): { approval: Approval; isNew: boolean } {
    checkRequest(request);
    const { database } = transaction;
    const binding = this.bindingOf(request);
    const open = this.#openOfWork(transaction, request);
    // What people were asked may be less than what is asked of them now: then nobody has agreed to this.
    // Who forged it may have forged anything in it; and what nobody can vouch for, nobody can agree to.
    const isGenuine = open === undefined || this.#isGenuine(transaction, open);
    const isSame =
      isGenuine &&
      open?.bindingDigest === binding &&
      open.tier === request.tier &&
      isSameDemand(open.demand, request.demand);
    const same = isSame ? open : findLastEnded(database, request, binding);
    const gone = request.asksAgain === true ? OVER_FOR_NOW : OVER;
    if (same && !gone.has(same.state)) return { approval: same, isNew: false };
    // An edit, another version of the tool or another policy: what was asked for before is asked for no more.
    const before = open && this.#contentOrNothing(database, open);
    if (open) {
      advance(transaction, open, 'invalidated', { by: isGenuine ? request.actor : SYSTEM });
    }
    const id = this.#insert(transaction, request, binding, {
      input: request.input,
      rationale: request.rationale,
      replaces: open && before ? { approvalId: open.id, input: before.input } : null,
    });
    const approval = findById(database, id);
    if (!approval) throw new Error(`Approval ${id} is not there after it was filed`);
    this.#parts.attestation.attest(transaction, approval);
    noteStep(transaction, approval, 'filed', request.actor, null);
    return { approval, isNew: true };
  }

  /** What has expired meanwhile is not open, whoever notices first: this or the watch over what is due. */
  #openOfWork(transaction: LedgerTransaction, request: ApprovalRequest): Approval | undefined {
    const found = findOpenOfWork(transaction.database, request);
    const { attestation, escalation } = this.#parts;
    const approval = found && lapse(transaction, found, escalation?.to ?? [], attestation);
    return approval && isOpen(approval.state) ? approval : undefined;
  }

  #insert(
    { database, at }: LedgerTransaction,
    request: ApprovalRequest,
    binding: string,
    content: ApprovalContent,
  ): string {
    const { actor, action, tier, rule, runId, taskId, demand } = request;
    const { idempotencyKey, toolDigest, policyDigest, excluded = [] } = request;
    const { newId, seal, bindingKey, escalation, maxPendingPerActor } = this.#parts;
    if (tier === 4) throw tierFour(action);
    if (countPending(database, actor) >= maxPendingPerActor) {
      throw new TooManyPendingError(maxPendingPerActor);
    }
    const id = newId();
    const escalatesAt = escalation
      ? Math.ceil(at + demand.expiresMs * escalation.afterShare)
      : null;
    const expiresAt = Math.ceil(at + demand.expiresMs);
    this.#parts.onDue(escalatesAt ?? expiresAt);
    insertApproval(database, {
      id,
      action,
      actor,
      tier,
      rule,
      runId,
      taskId,
      idempotencyKey,
      toolDigest,
      policyDigest,
      bindingDigest: binding,
      callDigest: callDigest(bindingKey, request),
      demand,
      excluded,
      escalatesAt,
      filedAt: at,
      expiresAt,
      sealed: seal.seal(JSON.stringify(content), labelOf(id, binding)),
    });
    return id;
  }

  /** What somebody said before he was asked; a no that was said to just this beats it. */
  #wordBeforehand(
    transaction: LedgerTransaction,
    request: ApprovalRequest,
  ): { by: Actor; via: 'grant' | 'fast' } | undefined {
    const { grants, people, isFast, bindingKey } = this.#parts;
    if (wasDenied(transaction.database, callDigest(bindingKey, request))) return undefined;
    const known = withPolicyAuthors(people, transaction.database);
    const grant = grants.spend(transaction, request, known);
    if (grant) return { by: { kind: 'human', id: grant.madeBy.id }, via: 'grant' };
    return isFast(transaction.at) ? { by: SYSTEM, via: 'fast' } : undefined;
  }

  #toConsume({ database }: LedgerTransaction, consumption: Consumption): Approval {
    const { approvalId, idempotencyKey, bindingDigest: binding, runId } = consumption;
    if (approvalId === undefined) {
      const key = idempotencyKey ?? '';
      const usable = findForCall(database, key, binding, runId);
      if (usable) return usable;
      const other = findNewestOfKey(database, key);
      throw other ? new ApprovalMismatchError(other.id) : new ApprovalNotFoundError();
    }
    const found = findById(database, approvalId);
    if (!found) throw new ApprovalNotFoundError();
    const fits =
      found.bindingDigest === binding &&
      (runId === undefined || found.runId === runId) &&
      (idempotencyKey === undefined || found.idempotencyKey === idempotencyKey);
    if (!fits) throw new ApprovalMismatchError(found.id);
    return found;
  }

  /** Whether those who agreed are still as many as are needed: roles and owners may have changed since. */
  #isStillAgreed({ database }: LedgerTransaction, approval: Approval): boolean {
    return (
      agreedBy(approval, withPolicyAuthors(this.#parts.people, database)) >= approval.demand.quorum
    );
  }

  #isGenuine({ database }: LedgerTransaction, approval: Approval): boolean {
    if (this.#parts.attestation.isGenuine(database, approval)) return true;
    this.#parts.onChanged(approval.id);
    return false;
  }

  #use(transaction: LedgerTransaction, approval: Approval, by: Actor): ApprovalVia {
    const via = approval.via;
    if (via === null) throw new Error(`Approval ${approval.id} was approved by no way`);
    advance(transaction, approval, 'consumed', { by, via });
    return via;
  }

  /** What cannot be opened is shown to nobody; that must not keep its successor from being asked for. */
  #contentOrNothing(
    database: LedgerTransaction['database'],
    approval: Approval,
  ): ApprovalContent | undefined {
    try {
      return this.contentOf(database, approval);
    } catch (error) {
      if (error instanceof ApprovalUnreadableError) return undefined;
      throw error;
    }
  }
}

/** How many people agree whose word counts at this moment. */
export function agreedBy(approval: Approval, people: People): number {
  const counts = approval.votes.filter(
    ({ by, vote }) => vote === 'approve' && voteObstacle(by, approval, people) === undefined,
  );
  return counts.length;
}

const Content = z.strictObject({
  input: z.unknown().optional(),
  rationale: z.string().nullable(),
  replaces: z
    .strictObject({ approvalId: z.string(), input: z.unknown().optional() })
    .transform(({ approvalId, input }) => ({ approvalId, input }))
    .nullable(),
});

/** So that what is sealed belongs to this request, and to what it is bound to. */
function labelOf(id: string, binding: string): string {
  return `approval ${id} ${binding}`;
}

const LONGEST_ID = 1_024;
const Id = z.string().min(1).max(LONGEST_ID);

const Filing = z.object({
  action: Id,
  actor: z.object({
    kind: z.enum(['agent', 'human', 'system']),
    id: Id,
    onBehalfOf: Id.optional(),
  }),
  toolDigest: Id,
  policyDigest: Id,
  idempotencyKey: Id,
  runId: Id.nullable(),
  taskId: Id.nullable(),
  demand: z.object({
    from: z.array(z.string()).min(1),
    quorum: z.int().min(1).max(100),
    expiresMs: z
      .number()
      .positive()
      .max(366 * 86_400_000),
  }),
});

/** @throws {InvalidInputError} When the request is none. */
/** What is used up, or about what is no more, is asked for anew. */
const OVER: ReadonlySet<ApprovalState> = new Set(['consumed', 'invalidated']);
/** A no stays a no. */
const OVER_FOR_NOW: ReadonlySet<ApprovalState> = new Set([...OVER, 'expired', 'cancelled']);

function sorted(words: readonly string[]): string {
  return words.toSorted().join();
}

function isSameDemand(a: ApprovalDemand, b: ApprovalDemand): boolean {
  return (
    a.quorum === b.quorum &&
    a.expiresMs === b.expiresMs &&
    sorted(a.from) === sorted(b.from) &&
    sorted(a.not) === sorted(b.not)
  );
}

function checkRequest(request: ApprovalRequest): void {
  parseOrThrow(Filing, request, 'approval request');
}

function tierFour(action: string): ApprovalRequestError {
  return new ApprovalRequestError(
    `${action} is of tier 4, which no agent does, whoever agrees to it.`,
  );
}
