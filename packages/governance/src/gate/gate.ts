import {
  ApprovalRequiredError,
  type Clock,
  describeFailure,
  type GuardedEmitter,
  type Tier,
  ToolDeniedError,
} from '@buddy/core';
import { GovernanceUnavailableError } from '../errors.ts';
import type { AuditEntryBody } from '../ledger/entry.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { PolicyDecision, ReasonCode } from '../policy/decision.ts';
import { CallUsage, type GatedCall, type UsageOf } from './call.ts';
import type { GateEvents } from './events.ts';
import type { GateHistory } from './history.ts';
import type { ApprovalDesk, KillSwitch, LimitBook } from './ports.ts';
import type { RunPolicies } from './run-policies.ts';

export interface GateParts {
  ledger: Ledger;
  policies: RunPolicies;
  history: GateHistory;
  approvals: ApprovalDesk;
  limits: LimitBook;
  killSwitch: KillSwitch;
  clock: Clock;
  emit: GuardedEmitter<GateEvents>['emit'];
  /** A copy that nobody else holds, or why there can be none. */
  snapshotOf: (input: unknown) => Snapshot;
  /** Keyed, so that what it was made of cannot be guessed. */
  digestOf: (value: unknown) => string;
  /** What may be kept of a reason: short, without secrets, or its digest. Null when there is none. */
  rationaleOf: (text: string) => string | null;
  usageOf: UsageOf;
}

export type Snapshot = { ok: true; value: unknown } | { ok: false; problem: string };

/** How many calls were made, and how many of them have their intent in the log. */
export interface Coverage {
  executed: Readonly<Record<1 | 2 | 3, number>>;
  intents: Readonly<Record<1 | 2 | 3, number>>;
}

type Verdict =
  | { kind: 'go'; intentSeq: number; reservation: string; decision: PolicyDecision }
  | { kind: 'denied'; decision: PolicyDecision }
  | { kind: 'waits'; approvalId: string; isNew: boolean; decision: PolicyDecision };

type OfAction = Omit<
  Extract<AuditEntryBody, { kind: 'intent' }>,
  'kind' | 'decision' | 'approvalId'
>;

/**
 * The one way to act. In this order: a snapshot of the arguments; the policy's decision; budget, approval and intent in one
 * transaction; the act; outcome and budget in another; the event. What is not on the disk has not been done.
 */
export class Gate {
  readonly #parts: GateParts;
  readonly #executed = { 1: 0, 2: 0, 3: 0 };
  readonly #intents = { 1: 0, 2: 0, 3: 0 };
  /** Outcomes that could not be written when they were due. */
  #owed: ((transaction: LedgerTransaction) => void)[] = [];

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  get coverage(): Coverage {
    return { executed: { ...this.#executed }, intents: { ...this.#intents } };
  }

  /** Of what must not be guessed from it: the digest is keyed. */
  digestOf(value: unknown): string {
    return this.#parts.digestOf(value);
  }

  /**
   * Decides, writes, acts, writes.
   * @throws {ToolDeniedError} When it may not be done; nothing was done.
   * @throws {ApprovalRequiredError} When a person has to agree; call again with the same key then. Nothing was done.
   * @throws {GovernanceUnavailableError} When the log cannot be written, and the call is of tier 2 or 3. Nothing was done.
   */
  async run<Output>(call: GatedCall<Output>): Promise<Output> {
    const snapshot = this.#parts.snapshotOf(call.input);
    const value = snapshot.ok ? snapshot.value : undefined;
    const verdict = await this.#enter(call, value, this.#decisionOn(call, snapshot));
    switch (verdict.kind) {
      case 'denied':
        throw this.#denied(call, verdict.decision);
      case 'waits':
        if (verdict.isNew) this.#tellWaiting(call, verdict);
        throw new ApprovalRequiredError(call.action, verdict.approvalId);
      case 'go':
        return this.#act(call, value, verdict);
      case 'unlogged':
        return call.perform(value);
    }
  }

  /** What the policy says, with nothing done and nothing written. */
  decide(
    call: Pick<GatedCall<unknown>, 'action' | 'actor' | 'declaredTier' | 'runId'>,
    input: unknown,
  ): PolicyDecision {
    const { policies, history, clock } = this.#parts;
    const { action, actor, declaredTier, runId } = call;
    const request = {
      action,
      actor,
      input,
      at: clock.now(),
      ...(declaredTier !== undefined && { declaredTier }),
      ...(runId !== undefined && { runId }),
    };
    return policies.of(runId).decide(request, history);
  }

  #decisionOn(call: GatedCall<unknown>, snapshot: Snapshot): PolicyDecision {
    if (!snapshot.ok) {
      const problem = `Its arguments cannot be trusted: ${snapshot.problem}`;
      return refusing(this.decide(call, undefined), 'INPUT_UNSAFE', problem);
    }
    const decision = this.decide(call, snapshot.value);
    const mustSayWhy = decision.tier > 1 && decision.outcome !== 'deny';
    if (!mustSayWhy || call.rationale.trim() !== '') return decision;
    return refusing(
      decision,
      'RATIONALE_MISSING',
      'Tiers 2 and 3 need a rationale: one sentence on why.',
    );
  }

  /** Writes what is owed to the log. To be called before it is closed. */
  async settle(): Promise<void> {
    const owed = this.#owed;
    if (owed.length === 0) return;
    this.#owed = [];
    try {
      await this.#write((transaction) => {
        for (const write of owed) write(transaction);
      });
    } catch (error) {
      this.#owed = [...owed, ...this.#owed];
      throw error;
    }
  }

  async #enter(
    call: GatedCall<unknown>,
    input: unknown,
    decision: PolicyDecision,
  ): Promise<Verdict | { kind: 'unlogged' }> {
    const of = this.#entryOf(call, input, decision);
    try {
      await this.settle();
      const verdict = await this.#write((transaction) =>
        this.#judge(call, input, decision, of, transaction),
      );
      if (verdict.kind === 'go') this.#intents[allowedTier(decision.tier)] += 1;
      return verdict;
    } catch (error) {
      return this.#withoutLog(call, decision, error);
    }
  }

  /** All in one transaction: of two calls that ask for the last of something, one gets it. */
  #judge(
    call: GatedCall<unknown>,
    input: unknown,
    decision: PolicyDecision,
    of: OfAction,
    transaction: LedgerTransaction,
  ): Verdict {
    const { killSwitch, limits, history, policies } = this.#parts;
    const deny = (denied: PolicyDecision): Verdict => {
      const { rule, reasonCode } = denied;
      transaction.append({
        ...of,
        kind: 'refusal',
        decision: 'deny',
        rule,
        reasonCode,
        approvalId: null,
      });
      return { kind: 'denied', decision: denied };
    };
    if (killSwitch.isOn(transaction)) {
      return deny(refusing(decision, 'KILL_SWITCH', 'An operator has switched all actions off.'));
    }
    if (decision.outcome === 'deny') return deny(decision);
    const { actor, action, runId = null } = call;
    const reserved = limits.reserve(transaction, decision.limits, { actor, action, runId });
    if (reserved.kind === 'refused') {
      return deny({
        ...refusing(decision, 'LIMIT_REACHED', reserved.explanation),
        rule: reserved.rule,
      });
    }
    const { reservation } = reserved;
    const permit = this.#permit(call, input, decision, of, transaction);
    switch (permit.kind) {
      case 'refused':
        limits.release(transaction, reservation);
        return deny(
          refusing(
            decision,
            APPROVAL_REASONS[permit.reason],
            `Approval ${permit.approvalId} was ${permit.reason}.`,
          ),
        );
      case 'waiting':
        limits.release(transaction, reservation);
        if (permit.isNew) {
          transaction.append({
            ...of,
            kind: 'refusal',
            decision: 'approve',
            approvalId: permit.approvalId,
          });
        }
        return { kind: 'waits', approvalId: permit.approvalId, isNew: permit.isNew, decision };
      case 'granted': {
        const { seq } = transaction.append({
          ...of,
          kind: 'intent',
          decision: 'allow',
          approvalId: permit.approvalId,
        });
        history.note(transaction, actor, action);
        if (runId !== null) policies.pin(transaction, runId, decision.policyDigest);
        return { kind: 'go', intentSeq: seq, reservation, decision };
      }
    }
  }

  #permit(
    call: GatedCall<unknown>,
    input: unknown,
    { approval, tier, rule, policyDigest }: PolicyDecision,
    { rationale }: OfAction,
    transaction: LedgerTransaction,
  ) {
    if (!approval) return { kind: 'granted', approvalId: null } as const;
    const { action, actor, toolDigest, idempotencyKey, runId = null, taskId = null } = call;
    return this.#parts.approvals.claim(transaction, {
      action,
      actor,
      tier,
      input,
      toolDigest,
      policyDigest,
      idempotencyKey,
      rationale,
      rule,
      runId,
      taskId,
      demand: approval,
    });
  }

  /** Tier 1 goes on without the log, for it changes nothing; but not past a limit, which is counted there. */
  #withoutLog(
    call: GatedCall<unknown>,
    decision: PolicyDecision,
    error: unknown,
  ): Verdict | { kind: 'unlogged' } {
    const { clock } = this.#parts;
    if (!isLogFailure(error)) throw error;
    const { message } = describeFailure(error);
    this.#parts.emit('logUnavailable', { at: clock.now(), action: call.action, message });
    if (decision.outcome === 'deny') return { kind: 'denied', decision };
    const needsLog =
      decision.tier > 1 || decision.outcome === 'approve' || decision.limits.length > 0;
    if (needsLog || this.#isKilled()) {
      throw new GovernanceUnavailableError(
        `${call.action} is not done, for the audit log cannot be written: ${message}`,
        { cause: error, retryable: true },
      );
    }
    return { kind: 'unlogged' };
  }

  #isKilled(): boolean {
    const { ledger, killSwitch } = this.#parts;
    try {
      return ledger.read((database) => killSwitch.isOn({ database }));
    } catch {
      return true; // what cannot be read may be on
    }
  }

  async #act<Output>(
    call: GatedCall<Output>,
    input: unknown,
    go: Extract<Verdict, { kind: 'go' }>,
  ): Promise<Output> {
    const { clock } = this.#parts;
    const { intentSeq, decision } = go;
    const { tier } = decision;
    this.#parts.emit('actionStarted', { ...this.#told(call, tier), seq: intentSeq, decision });
    const startedAt = clock.monotonic();
    this.#executed[allowedTier(tier)] += 1;
    let ending: { ok: true; output: Output } | { ok: false; error: unknown };
    try {
      ending = { ok: true, output: await call.perform(input) };
    } catch (error) {
      ending = { ok: false, error };
    }
    const durationMs = clock.monotonic() - startedAt;
    await this.#record(call, go, ending, durationMs);
    if (ending.ok) return ending.output;
    throw ending.error;
  }

  async #record(
    call: GatedCall<unknown>,
    { intentSeq, reservation, decision }: Extract<Verdict, { kind: 'go' }>,
    ending: { ok: true; output: unknown } | { ok: false; error: unknown },
    durationMs: number,
  ): Promise<void> {
    const { limits, clock } = this.#parts;
    const { tier, policyDigest } = decision;
    const { actor, action, runId = null } = call;
    const failure = ending.ok ? undefined : describeFailure(ending.error);
    const usage = ending.ok ? this.#usageOf(call, tier, ending.output) : {};
    const outcome = !failure ? 'succeeded' : failure.effect === 'none' ? 'failed' : 'unknown';
    const errorCode = failure ? codeToKeep(failure.code) : null;
    const write = (transaction: LedgerTransaction): void => {
      transaction.append({
        kind: 'outcome',
        intentSeq,
        runId,
        actor,
        action,
        tier,
        outcome,
        errorCode,
        durationMs,
        tokens: usage.tokens ?? null,
        cost: usage.cost ?? null,
        policyDigest,
      });
      if (outcome === 'failed') limits.release(transaction, reservation);
      else limits.commit(transaction, reservation, usage);
    };
    try {
      await this.#write(write);
    } catch (error) {
      if (!isLogFailure(error)) throw error;
      // It was done, and its intent is in the log: the outcome follows as soon as the log takes it, and nothing else of
      // tier 2 or 3 goes before it.
      this.#owed.push(write);
      const { message } = describeFailure(error);
      this.#parts.emit('logUnavailable', { at: clock.now(), action, message });
      return;
    }
    const told = this.#told(call, tier);
    this.#parts.emit('actionEnded', { ...told, intentSeq, outcome, durationMs, errorCode });
  }

  /** The call was made: whatever is wrong with its usage must not keep its outcome from the log. */
  #usageOf(call: GatedCall<unknown>, tier: Tier, output: unknown): CallUsage {
    try {
      return CallUsage.parse(this.#parts.usageOf(call.action, output));
    } catch (error) {
      const { message } = describeFailure(error);
      this.#parts.emit('usageUnreadable', { ...this.#told(call, tier), message });
      return {};
    }
  }

  #write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    const { clock, ledger } = this.#parts;
    return clock.external(() => ledger.write(work));
  }

  #entryOf(call: GatedCall<unknown>, input: unknown, decision: PolicyDecision): OfAction {
    const { digestOf, rationaleOf } = this.#parts;
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
      rationale: rationaleOf(call.rationale),
      facts,
      argumentsDigest: digestOf(input),
      policyDigest,
    };
  }

  #denied(call: GatedCall<unknown>, { rule, reasonCode, explanation, tier }: PolicyDecision) {
    const told = this.#told(call, tier);
    this.#parts.emit('actionDenied', { ...told, rule, reasonCode, explanation });
    return new ToolDeniedError(call.action, { outcome: 'deny', rule, reasonCode, explanation });
  }

  #tellWaiting(
    call: GatedCall<unknown>,
    { approvalId, decision }: Extract<Verdict, { kind: 'waits' }>,
  ) {
    const { rule, tier } = decision;
    this.#parts.emit('approvalRequested', { ...this.#told(call, tier), approvalId, rule });
  }

  #told({ action, actor, runId, taskId }: GatedCall<unknown>, tier: Tier) {
    return {
      at: this.#parts.clock.now(),
      action,
      actor,
      tier,
      ...(runId !== undefined && { runId }),
      ...(taskId !== undefined && { taskId }),
    };
  }
}

/** A code is a name. Anything else that an error calls its code may be text from anywhere, and stays out of the log. */
function codeToKeep(code: string): string {
  return /^[A-Za-z][\w.-]{0,63}$/.test(code) ? code : 'UNKNOWN';
}

function isLogFailure(error: unknown): boolean {
  const { code } = describeFailure(error);
  return code === 'GOVERNANCE_LEDGER_WRITE_FAILED' || code === 'GOVERNANCE_LEDGER_CLOSED';
}

/** A decision of tier 4 is never allowed, so what is allowed has one of the others. */
function allowedTier(tier: Tier): 1 | 2 | 3 {
  if (tier === 4) throw new Error('An action of tier 4 was let through'); // a policy that breaks its own law
  return tier;
}

const APPROVAL_REASONS = {
  denied: 'APPROVAL_DENIED',
  expired: 'APPROVAL_EXPIRED',
  cancelled: 'APPROVAL_INVALID',
} as const satisfies Record<string, ReasonCode>;

/** The same decision, turned into a refusal. Its facts and tier stand. */
function refusing(
  decision: PolicyDecision,
  reasonCode: ReasonCode,
  explanation: string,
): PolicyDecision {
  const { approval: _approval, ...rest } = decision;
  return { ...rest, outcome: 'deny', reasonCode, explanation, limits: [] };
}
