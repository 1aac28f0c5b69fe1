import { type Actor, type Clock, describeFailure } from '@buddy/core';
import type { AuditEntryBody } from '../ledger/entry.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import type { ActionHistory, Policy, PolicyDecision, ReasonCode } from '../policy/decision.ts';
import type { AskedReasons } from './asked-reasons.ts';
import type { GatedCall } from './call.ts';
import type { GateHistory } from './history.ts';
import { factsToKeep } from './kept-of-call.ts';
import type { ApprovalDesk, KillSwitch, LimitBook } from './ports.ts';
import type { RunPolicies } from './run-policies.ts';
import type { TakenBack } from './taken-back.ts';

export interface AdmissionParts {
  policies: RunPolicies;
  history: GateHistory;
  approvals: ApprovalDesk;
  limits: LimitBook;
  killSwitch: KillSwitch;
  takenBack: TakenBack;
  askedReasons: AskedReasons;
  clock: Clock;
  /** Keyed, so that what it was made of cannot be guessed. */
  digestOf: (value: unknown) => string;
  /** What may be kept of a reason: short, without secrets, or its digest. Null when there is none. */
  rationaleOf: (text: string, by: Actor) => string | null;
}

export type Snapshot = { ok: true; value: unknown } | { ok: false; problem: string };

/** Why a call that the policy would allow is not made: it could not come to anything. */
export interface Obstacle {
  reasonCode: 'INPUT_MISFIT' | 'INPUT_UNCHECKED' | 'CALL_ABORTED';
  explanation: string;
  /** What the tool would have thrown. */
  error: unknown;
}

export type Verdict =
  | {
      kind: 'go';
      intentSeq: number;
      reservation: string;
      decision: PolicyDecision;
      argumentsDigest: string;
      /** Of an undo: what it took of what can be taken back. */
      taken: string | undefined;
    }
  | { kind: 'denied'; decision: PolicyDecision }
  | { kind: 'hindered'; decision: PolicyDecision; obstacle: Obstacle }
  | { kind: 'waits'; approvalId: string; isNew: boolean; decision: PolicyDecision };

type OfAction = Omit<
  Extract<AuditEntryBody, { kind: 'intent' }>,
  'kind' | 'decision' | 'approvalId'
>;

/** Says whether a call goes, and writes what it says. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * All in one transaction, the decision too: of two calls that ask for the last of something, one gets it; and what an
   * actor did a moment ago, in the same turn even, counts for rules that say `after`.
   */
  admit(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    policy: Policy,
    transaction: LedgerTransaction,
    known: Obstacle | undefined,
  ): Verdict {
    const { killSwitch, limits, history, policies, takenBack, digestOf } = this.#parts;
    const { actor, action, runId } = call;
    const input = snapshot.ok ? snapshot.value : undefined;
    const argumentsDigest = digestOf(input);
    const decision = this.#orAsDone(
      call,
      this.decisionOn(call, snapshot, policy, history.within(transaction)),
      argumentsDigest,
      transaction,
    );
    const of = this.#entryOf(call, argumentsDigest, decision, policy);
    // Not for what is refused: else the policy of today could be laid in under the names of runs to come.
    const pin = (): void => {
      if (runId !== undefined) policies.pin(transaction, runId, actor, decision.policyDigest);
    };
    const refuse = ({ rule, reasonCode }: PolicyDecision): void => {
      const refusal = { kind: 'refusal', decision: 'deny', approvalId: null } as const;
      transaction.append({ ...of, ...refusal, rule, reasonCode });
    };
    const deny = (denied: PolicyDecision): Verdict => {
      refuse(denied);
      return { kind: 'denied', decision: denied };
    };
    if (killSwitch.isOn(transaction)) {
      return deny(switchedOff(decision));
    }
    if (decision.outcome === 'deny') return deny(decision);
    const obstacle = known ?? abortOf(call);
    if (obstacle) {
      const hindered = refusing(decision, obstacle.reasonCode, obstacle.explanation);
      refuse(hindered);
      return { kind: 'hindered', decision: hindered, obstacle };
    }
    const subject = { actor, action, runId: runId ?? null };
    const reserved = limits.reserve(transaction, decision.limits, subject);
    if (reserved.kind === 'refused') {
      const { rule, explanation } = reserved;
      return deny({ ...refusing(decision, 'LIMIT_REACHED', explanation), rule });
    }
    const { reservation } = reserved;
    const permit = this.#permit(call, input, decision, of, transaction);
    switch (permit.kind) {
      case 'crowded':
        limits.release(transaction, reservation);
        return deny(refusing(decision, 'LIMIT_REACHED', permit.explanation));
      case 'refused': {
        limits.release(transaction, reservation);
        const { approvalId, reason } = permit;
        this.#parts.askedReasons.forget(transaction, approvalId);
        const explanation = `Approval ${approvalId} was ${reason}.`;
        return deny(refusing(decision, APPROVAL_REASONS[reason], explanation));
      }
      case 'waiting': {
        limits.release(transaction, reservation);
        const { approvalId, isNew } = permit;
        pin();
        if (isNew) this.#noteAsked(transaction, of, approvalId);
        return { kind: 'waits', approvalId, isNew, decision };
      }
      case 'granted': {
        const { approvalId } = permit;
        pin();
        const facts = this.#factsOfApproval(transaction, of, approvalId);
        const intent = { kind: 'intent', decision: 'allow', approvalId, facts } as const;
        const { seq: intentSeq } = transaction.append({ ...of, ...intent });
        history.note(transaction, actor, action, 'begun');
        const { takesBack } = call;
        const begun = { actor, action: takesBack?.action ?? action, argumentsDigest };
        if (call.canBeTakenBack === true) takenBack.noteBegun(transaction, intentSeq, begun);
        const taken = takesBack && takenBack.take(transaction, begun, takesBack.resultDigest);
        return { kind: 'go', intentSeq, reservation, decision, argumentsDigest, taken };
      }
    }
  }

  /** What the policy says, and what no policy can lift. */
  decisionOn(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    policy: Policy,
    history: ActionHistory,
  ): PolicyDecision {
    const decision = this.decideBy(call, snapshot, policy, history);
    return decision.outcome === 'deny' ? decision : this.#withReason(call, decision);
  }

  /** Of what is not called yet, and so has no reason to be given. */
  decideBy(
    { action, actor, declaredTier, runId }: Decidable,
    snapshot: Snapshot,
    policy: Policy,
    history: ActionHistory,
  ): PolicyDecision {
    const request = {
      action,
      actor,
      input: snapshot.ok ? snapshot.value : undefined,
      at: this.#parts.clock.now(),
      ...(declaredTier !== undefined && { declaredTier }),
      ...(runId !== undefined && { runId }),
    };
    const decision = policy.decide(request, history);
    if (snapshot.ok) return decision;
    const problem = `Its arguments cannot be trusted: ${snapshot.problem}`;
    return refusing(decision, 'INPUT_UNSAFE', problem);
  }

  #withReason({ rationale }: GatedCall<unknown>, decision: PolicyDecision): PolicyDecision {
    if (decision.tier === 1 || VISIBLE.test(rationale)) return decision;
    return refusing(decision, 'RATIONALE_MISSING', NO_REASON);
  }

  /** What no rule speaks of may be taken back by who did it, and only that. */
  #orAsDone(
    call: GatedCall<unknown>,
    decision: PolicyDecision,
    argumentsDigest: string,
    transaction: LedgerTransaction,
  ): PolicyDecision {
    const { takesBack, actor } = call;
    if (takesBack === undefined || decision.reasonCode !== 'NO_RULE_ALLOWS') return decision;
    const { action, resultDigest } = takesBack;
    const begun = { actor, action, argumentsDigest };
    if (!this.#parts.takenBack.isPossible(transaction, begun, resultDigest)) {
      const explanation = `No rule lets it run, and ${actor.id} has not done ${action} with these arguments and this result.`;
      return { ...decision, explanation };
    }
    const { nearest: _nearest, ...rest } = decision;
    return this.#withReason(call, {
      ...rest,
      outcome: 'allow',
      reasonCode: 'UNDO_OF_DONE',
      explanation: `No rule speaks of it; it takes back what ${actor.id} was allowed to do.`,
    });
  }

  #permit(
    call: GatedCall<unknown>,
    input: unknown,
    { approval, tier, rule, policyDigest }: PolicyDecision,
    { rationale }: OfAction,
    transaction: LedgerTransaction,
  ) {
    if (!approval) return { kind: 'granted', approvalId: null } as const;
    const { action, actor, toolDigest, runId = null, taskId = null } = call;
    const { idempotencyKey: key } = call;
    const claim = {
      action,
      actor,
      tier,
      input,
      toolDigest,
      policyDigest,
      idempotencyKey: typeof key === 'string' ? key : key(input),
      rationale,
      rule,
      runId,
      taskId,
      demand: approval,
      asksAgain: call.asksAgain ?? false,
    };
    try {
      return this.#parts.approvals.claim(transaction, claim);
    } catch (error) {
      const { code, message } = describeFailure(error);
      // Nothing was filed: it is looked at before.
      if (code === 'GOVERNANCE_TOO_MANY_PENDING')
        return { kind: 'crowded', explanation: message } as const;
      throw error;
    }
  }

  #noteAsked(transaction: LedgerTransaction, of: OfAction, approvalId: string): void {
    transaction.append({ ...of, kind: 'refusal', decision: 'approve', approvalId });
    this.#parts.askedReasons.note(transaction, approvalId, of.rationale);
  }

  /** An approval is for the act. Its reason may be put otherwise the next time, but not without the log saying so. */
  #factsOfApproval(
    transaction: LedgerTransaction,
    { facts, rationale }: OfAction,
    approvalId: string | null,
  ): OfAction['facts'] {
    if (approvalId === null) return facts;
    const isSame = this.#parts.askedReasons.compare(transaction, approvalId, rationale);
    return isSame === false ? { ...facts, 'approval.rationale': OTHER_REASON } : facts;
  }

  #entryOf(
    call: GatedCall<unknown>,
    argumentsDigest: string,
    decision: PolicyDecision,
    policy: Policy,
  ): OfAction {
    const { runId = null, taskId = null, actor, action } = call;
    const { tier, rule, reasonCode, facts, policyDigest } = decision;
    return {
      runId,
      taskId,
      actor,
      action,
      tier,
      rule,
      reasonCode,
      rationale: this.#parts.rationaleOf(call.rationale, actor),
      facts: factsToKeep(facts, policy),
      argumentsDigest,
      policyDigest,
    };
  }
}

export type Decidable = Pick<GatedCall<unknown>, 'action' | 'actor' | 'declaredTier' | 'runId'>;

const NO_REASON =
  'Tiers 2 and 3 need a rationale: one sentence on why, from whoever calls; for tools of other frameworks, ' +
  'from whoever governs them: govern(tools, { rationale }) or describeCall.';

/** A reason that nobody can see is none: spaces, controls, marks of direction, fillers, an empty pattern of Braille. */
const VISIBLE = /[^\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\s\u2800]/u;

const OTHER_REASON = 'not the one that people were given';

const APPROVAL_REASONS = {
  denied: 'APPROVAL_DENIED',
  expired: 'APPROVAL_EXPIRED',
  cancelled: 'APPROVAL_INVALID',
} as const satisfies Record<string, ReasonCode>;

/** As late as can be: it may have been aborted while it waited for its turn. */
export function abortOf({ signal }: GatedCall<unknown>): Obstacle | undefined {
  if (signal?.aborted !== true) return undefined;
  const explanation = 'Nobody waits for it any more: its signal was aborted before it began.';
  return { reasonCode: 'CALL_ABORTED', explanation, error: signal.reason };
}

export function switchedOff(decision: PolicyDecision): PolicyDecision {
  return refusing(decision, 'KILL_SWITCH', 'An operator has switched all actions off.');
}

/** The same decision, turned into a refusal. Its facts and tier stand. */
function refusing(
  decision: PolicyDecision,
  reasonCode: ReasonCode,
  explanation: string,
): PolicyDecision {
  const { approval: _approval, ...rest } = decision;
  return { ...rest, outcome: 'deny', reasonCode, explanation, limits: [] };
}
