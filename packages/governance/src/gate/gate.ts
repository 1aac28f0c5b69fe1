import {
  ApprovalRequiredError,
  type Clock,
  describeFailure,
  type GuardedEmitter,
  redactText,
  type Tier,
  ToolDeniedError,
} from '@buddy/core';
import { GovernanceUnavailableError } from '../errors.ts';
import type { AuditEntryBody } from '../ledger/entry.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import { isLedgerFailure, OwedWrites } from '../ledger/owed-writes.ts';
import type { ActionHistory, Policy, PolicyDecision, ReasonCode } from '../policy/decision.ts';
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
  readonly #owed: OwedWrites;

  constructor(parts: GateParts) {
    this.#parts = parts;
    const { ledger, clock } = parts;
    // One that can never be written must not keep the others, and all that comes after, from it.
    const onLost = (error: unknown): void => this.#tellUnavailable('outcome', error);
    this.#owed = new OwedWrites({ ledger, clock, onLost });
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
  async run<Output>(given: GatedCall<Output>): Promise<Output> {
    const snapshot = this.#parts.snapshotOf(given.input);
    const value = snapshot.ok ? snapshot.value : undefined;
    // What is decided on is what is logged, whatever the caller or the tool does to its context meanwhile.
    const call = { ...given, actor: Object.freeze({ ...given.actor }) };
    const verdict = await this.#enter(call, snapshot);
    switch (verdict.kind) {
      case 'denied':
        throw this.#denied(call, verdict.decision);
      case 'waits':
        if (verdict.isNew) this.#tellWaiting(call, verdict);
        throw new ApprovalRequiredError(call.action, verdict.approvalId);
      case 'go':
        return this.#act(call, value, verdict);
      case 'unlogged':
        this.#executed[1] += 1;
        return call.perform(value);
    }
  }

  /** What the policy says, with nothing done and nothing written. */
  decide(
    call: Pick<GatedCall<unknown>, 'action' | 'actor' | 'declaredTier' | 'runId'>,
    input: unknown,
  ): PolicyDecision {
    const { policies, history } = this.#parts;
    return this.#decideBy(policies.of(call.runId), history, call, input);
  }

  #decideBy(
    policy: Policy,
    history: ActionHistory,
    call: Pick<GatedCall<unknown>, 'action' | 'actor' | 'declaredTier' | 'runId'>,
    input: unknown,
  ): PolicyDecision {
    const { clock } = this.#parts;
    const { action, actor, declaredTier, runId } = call;
    const request = {
      action,
      actor,
      input,
      at: clock.now(),
      ...(declaredTier !== undefined && { declaredTier }),
      ...(runId !== undefined && { runId }),
    };
    return policy.decide(request, history);
  }

  #decisionOn(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    policy: Policy,
    history: ActionHistory,
  ): PolicyDecision {
    if (!snapshot.ok) {
      const problem = `Its arguments cannot be trusted: ${snapshot.problem}`;
      return refusing(this.#decideBy(policy, history, call, undefined), 'INPUT_UNSAFE', problem);
    }
    const decision = this.#decideBy(policy, history, call, snapshot.value);
    const mustSayWhy = decision.tier > 1 && decision.outcome !== 'deny';
    if (!mustSayWhy || call.rationale.trim() !== '') return decision;
    return refusing(
      decision,
      'RATIONALE_MISSING',
      'Tiers 2 and 3 need a rationale: one sentence on why.',
    );
  }

  /** Writes what is owed to the log, and from then on only when somebody asks. To be called before it is closed. */
  async settle(): Promise<void> {
    await this.#owed[Symbol.asyncDispose]();
  }

  async #enter(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
  ): Promise<Verdict | { kind: 'unlogged' }> {
    try {
      await this.#owed.settle();
      const policy = this.#parts.policies.of(call.runId);
      const verdict = await this.#write((transaction) =>
        this.#judge(call, snapshot, policy, transaction),
      );
      if (verdict.kind === 'go') this.#intents[allowedTier(verdict.decision.tier)] += 1;
      return verdict;
    } catch (error) {
      return this.#withoutLog(call, snapshot, error);
    }
  }

  /**
   * All in one transaction, the decision too: of two calls that ask for the last of something, one gets it; and what an
   * actor did a moment ago, in the same turn even, counts for rules that say `after`.
   */
  #judge(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    policy: Policy,
    transaction: LedgerTransaction,
  ): Verdict {
    const { killSwitch, limits, history, policies } = this.#parts;
    const input = snapshot.ok ? snapshot.value : undefined;
    const decision = this.#decisionOn(call, snapshot, policy, history.within(transaction));
    const of = this.#entryOf(call, input, decision, policy);
    if (call.runId !== undefined) policies.pin(transaction, call.runId, decision.policyDigest);
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
      case 'crowded':
        limits.release(transaction, reservation);
        return deny(refusing(decision, 'LIMIT_REACHED', permit.explanation));
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
    const { action, actor, toolDigest, runId = null, taskId = null } = call;
    const { idempotencyKey: key } = call;
    const idempotencyKey = typeof key === 'string' ? key : key(input);
    const claim = {
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

  /** Tier 1 goes on without the log, for it changes nothing; but not past a limit, which is counted there. */
  #withoutLog(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    error: unknown,
  ): Verdict | { kind: 'unlogged' } {
    const { policies, history } = this.#parts;
    if (!isLedgerFailure(error)) throw error;
    const { message } = describeFailure(error);
    this.#tellUnavailable(call.action, error);
    let decision: PolicyDecision;
    try {
      decision = this.#decisionOn(call, snapshot, policies.of(call.runId), history);
    } catch (cause) {
      // Not even what was done before can be read.
      throw new GovernanceUnavailableError(
        `${call.action} is not done, for the governance database cannot be read: ${message}`,
        { cause, retryable: true },
      );
    }
    if (decision.outcome === 'deny') return { kind: 'denied', decision };
    const needsLog =
      decision.tier > 1 || decision.outcome === 'approve' || decision.limits.length > 0;
    if (needsLog || this.#isKilled()) {
      throw new GovernanceUnavailableError(
        `${call.action} is not done, for the audit log cannot be written: ${message}`,
        { cause: error, retryable: true },
      );
    }
    const { actor, action } = call;
    const at = history.noteUnlogged(actor, action);
    // What it has done, rules that say `after` must know, from now on and when the log can be written again.
    this.#owed.add({
      write: (transaction) => history.note(transaction, actor, action, at),
      tell: () => undefined,
    });
    return { kind: 'unlogged' };
  }

  #tellUnavailable(action: string, error: unknown): void {
    const { clock, emit } = this.#parts;
    emit('logUnavailable', { at: clock.now(), action, message: describeFailure(error).message });
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
    const { limits, history } = this.#parts;
    const { tier, policyDigest } = decision;
    const { actor, action, runId = null } = call;
    const failure = ending.ok ? undefined : describeFailure(ending.error);
    const usage = ending.ok ? this.#usageOf(call, tier, ending.output) : {};
    // A tool that called another and was refused there may have done its own part before.
    const isSurelyNothing = failure?.effect === 'none' && !REFUSALS.has(failure.code);
    const outcome = !failure ? 'succeeded' : isSurelyNothing ? 'failed' : 'unknown';
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
      history.note(transaction, actor, action);
      if (outcome === 'failed') limits.release(transaction, reservation);
      else limits.commit(transaction, reservation, usage);
    };
    const told = this.#told(call, tier);
    const tell = (): void =>
      this.#parts.emit('actionEnded', { ...told, intentSeq, outcome, durationMs, errorCode });
    try {
      await this.#write(write);
    } catch (error) {
      // It was done, and its intent is in the log: the outcome follows as soon as the log takes it, and nothing else of
      // tier 2 or 3 goes before it. Whatever is wrong here must not take the tool's result from its caller.
      if (isLedgerFailure(error)) this.#owed.add({ write, tell });
      this.#tellUnavailable(action, error);
      return;
    }
    tell();
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

  #entryOf(
    call: GatedCall<unknown>,
    input: unknown,
    decision: PolicyDecision,
    policy: Policy,
  ): OfAction {
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
      facts: factsToKeep(facts, policy),
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

/**
 * Facts for the log: of the texts in arguments, only those that the policy itself has; of others, how long they are. They
 * may be anything that somebody wrote, a prompt too.
 */
function factsToKeep(
  facts: PolicyDecision['facts'],
  policy: Pick<Policy, 'holds'>,
): PolicyDecision['facts'] {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => {
      const isText = name.startsWith('input.') && typeof value === 'string';
      if (!isText || BARE_MARKER.test(value) || policy.holds(value)) return [name, value];
      return [name, `[text of ${value.length} characters]`];
    }),
  );
}

const BARE_MARKER = /^\[(?:absent|list|object|unreadable|not a number|not recorded|redacted)\]$/;

/** What a gate says no with. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CORE_TOOL_DENIED',
  'CORE_APPROVAL_REQUIRED',
  'GOVERNANCE_UNAVAILABLE',
]);

/** A code is a name. Anything else that an error calls its code may be text from anywhere, and stays out of the log. */
function codeToKeep(code: string): string {
  const isName = /^[A-Z][A-Z0-9_]{0,63}$/.test(code) && redactText(code) === code;
  return isName ? code : 'UNKNOWN';
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
