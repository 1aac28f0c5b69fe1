import {
  ApprovalRequiredError,
  describeFailure,
  type GuardedEmitter,
  type Tier,
  ToolDeniedError,
} from '@buddy/core';
import { GovernanceUnavailableError, InvalidCallError } from '../errors.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import { isLedgerFailure, OwedWrites } from '../ledger/owed-writes.ts';
import type { PolicyDecision } from '../policy/decision.ts';
import {
  abortOf,
  Admission,
  type AdmissionParts,
  type Decidable,
  type Obstacle,
  type Snapshot,
  switchedOff,
  type Verdict,
} from './admission.ts';
import { CallUsage, type GatedCall, type UsageOf } from './call.ts';
import { actorOf, isName, NOBODY, problemOf } from './call-problem.ts';
import type { GateEvents } from './events.ts';
import { codeToKeep } from './kept-of-call.ts';

export interface GateParts extends AdmissionParts {
  ledger: Ledger;
  emit: GuardedEmitter<GateEvents>['emit'];
  /** A copy that nobody else holds, or why there can be none. */
  snapshotOf: (input: unknown) => Snapshot;
  usageOf: UsageOf;
}

/** How many calls were made, and how many of them have their intent in the log. */
export interface Coverage {
  executed: Readonly<Record<1 | 2 | 3, number>>;
  intents: Readonly<Record<1 | 2 | 3, number>>;
}

type Go = Extract<Verdict, { kind: 'go' }>;
type Ending<Output> = { ok: true; output: Output } | { ok: false; error: unknown };

/**
 * The one way to act. In this order: a snapshot of the arguments, and whether the tool would take them; the policy's
 * decision, budget, approval and intent in one transaction; the act; outcome and budget in another; the event. What is not
 * on the disk has not been done.
 */
export class Gate {
  readonly #parts: GateParts;
  readonly #admission: Admission;
  readonly #executed = { 1: 0, 2: 0, 3: 0 };
  readonly #intents = { 1: 0, 2: 0, 3: 0 };
  /** Outcomes that could not be written when they were due. */
  readonly #owed: OwedWrites;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts);
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
   * @throws {InvalidCallError} When it is not said who calls what, and why, in a form that can be written down.
   */
  async run<Output>(given: GatedCall<Output>): Promise<Output> {
    const problem = problemOf(given);
    if (problem !== undefined) throw await this.#invalid(given, problem);
    const snapshot = this.#parts.snapshotOf(given.input);
    const value = snapshot.ok ? snapshot.value : undefined;
    // What is decided on is what is logged, whatever the caller or the tool does to its context meanwhile.
    const call = { ...given, actor: actorOf(given.actor) ?? NOBODY };
    const looking = this.#findObstacle(call, snapshot);
    // Without a turn between where none is needed: calls come to the log in the order in which they were made.
    const obstacle = looking instanceof Promise ? await looking : looking;
    const verdict = await this.#enter(call, snapshot, obstacle);
    switch (verdict.kind) {
      case 'denied':
        throw this.#denied(call, verdict.decision);
      case 'hindered':
        this.#tellDenied(call, verdict.decision);
        throw verdict.obstacle.error;
      case 'waits':
        if (verdict.isNew) this.#tellWaiting(call, verdict);
        throw new ApprovalRequiredError(call.action, verdict.approvalId);
      case 'go':
        return this.#act(call, value, verdict);
      case 'unlogged':
        return this.#actUnlogged(call, value);
    }
  }

  /**
   * What kill switch and policy say, with nothing done and nothing written. Not looked at: what only a call has (reason,
   * signal, schema), budget, approvals, whether an undo is of something done, and whether the log can be written.
   * @throws {InvalidCallError} When it is not said who does what, in a form that can be decided on.
   */
  decide(call: Decidable, input: unknown): PolicyDecision {
    const { policies, history, snapshotOf } = this.#parts;
    const problem = problemOf({ ...call, ...UNSAID, input });
    if (problem !== undefined) throw new InvalidCallError('What is asked about', problem);
    const policy = policies.of(call.runId, call.actor);
    const decision = this.#admission.decideBy(call, snapshotOf(input), policy, history);
    return this.#isKilled() ? switchedOff(decision) : decision;
  }

  /** Writes what is owed to the log, and from then on only when somebody asks. To be called before it is closed. */
  async settle(): Promise<void> {
    await this.#owed[Symbol.asyncDispose]();
  }

  /** Refuses what cannot be decided on, with an entry wherever it has a name to be entered by. */
  async #invalid(given: GatedCall<unknown>, problem: string): Promise<InvalidCallError> {
    const { policies, digestOf, snapshotOf } = this.#parts;
    const { declaredTier = 4, runId, taskId } = given;
    const action: unknown = given.action;
    const error = new InvalidCallError(isName(action) ? action : 'A call', problem);
    if (!isName(action)) return error;
    const snapshot = snapshotOf(given.input);
    const actor = actorOf(given.actor) ?? NOBODY;
    const tier = isTier(declaredTier) ? declaredTier : 4;
    try {
      await this.#write(({ append }) =>
        append({
          kind: 'refusal',
          decision: 'deny',
          action,
          actor,
          tier,
          runId: isName(runId) ? runId : null,
          taskId: isName(taskId) ? taskId : null,
          rule: 'default',
          reasonCode: 'CALL_INVALID',
          rationale: null,
          facts: {},
          argumentsDigest: digestOf(snapshot.ok ? snapshot.value : undefined),
          approvalId: null,
          policyDigest: policies.of(undefined, actor).digest,
        }),
      );
    } catch (failure) {
      if (!isLedgerFailure(failure)) throw failure;
      this.#tellUnavailable(action, failure);
      return error;
    }
    const { at } = this.#told({ action, actor }, tier);
    const told = { at, action, actor, tier, rule: 'default', reasonCode: 'CALL_INVALID' } as const;
    this.#parts.emit('actionDenied', { ...told, explanation: error.message });
    return error;
  }

  /** Whether the tool would take these arguments; asked only where the policy has nothing against the call. */
  #findObstacle(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
  ): Obstacle | undefined | Promise<Obstacle | undefined> {
    const { findMisfit } = call;
    if (!findMisfit || !snapshot.ok || !this.#isWorthAsking(call, snapshot)) return undefined;
    try {
      const misfit = findMisfit(snapshot.value);
      return misfit instanceof Promise
        ? misfit.then((found) => found && misfitting(found), uncheckable)
        : misfit && misfitting(misfit);
    } catch (error) {
      return uncheckable(error);
    }
  }

  #isWorthAsking(call: GatedCall<unknown>, snapshot: Snapshot): boolean {
    const { policies, history } = this.#parts;
    try {
      const policy = policies.of(call.runId, call.actor);
      return this.#admission.decisionOn(call, snapshot, policy, history).outcome !== 'deny';
    } catch {
      return false; // the database cannot be read, which is found out, and told, when the call is to be admitted
    }
  }

  async #enter(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    obstacle: Obstacle | undefined,
  ): Promise<Verdict | { kind: 'unlogged' }> {
    try {
      await this.#owed.settle();
      const policy = this.#parts.policies.of(call.runId, call.actor);
      const verdict = await this.#write((transaction) =>
        this.#admission.admit(call, snapshot, policy, transaction, obstacle),
      );
      if (verdict.kind === 'go') this.#intents[allowedTier(verdict.decision.tier)] += 1;
      return verdict;
    } catch (error) {
      return this.#withoutLog(call, snapshot, error, obstacle);
    }
  }

  /** Tier 1 goes on without the log, for it changes nothing; but not past a limit, which is counted there. */
  #withoutLog(
    call: GatedCall<unknown>,
    snapshot: Snapshot,
    error: unknown,
    known: Obstacle | undefined,
  ): Verdict | { kind: 'unlogged' } {
    const { policies, history } = this.#parts;
    if (!isLedgerFailure(error)) throw error;
    const { message } = describeFailure(error);
    this.#tellUnavailable(call.action, error);
    let decision: PolicyDecision;
    try {
      const policy = policies.of(call.runId, call.actor);
      decision = this.#admission.decisionOn(call, snapshot, policy, history);
    } catch (cause) {
      // Not even what was done before can be read.
      throw new GovernanceUnavailableError(
        `${call.action} is not done, for the governance database cannot be read: ${message}`,
        { cause, retryable: true },
      );
    }
    // What is taken back is looked up in the log, whatever its tier.
    const isUndo = call.takesBack !== undefined;
    if (decision.outcome === 'deny' && !isUndo) return { kind: 'denied', decision };
    const needsLog =
      decision.tier > 1 || decision.outcome === 'approve' || decision.limits.length > 0;
    if (isUndo || needsLog || this.#isKilled()) {
      throw new GovernanceUnavailableError(
        `${call.action} is not done, for the audit log cannot be written: ${message}`,
        { cause: error, retryable: true },
      );
    }
    const obstacle = known ?? abortOf(call);
    if (obstacle) throw obstacle.error;
    return { kind: 'unlogged' };
  }

  async #actUnlogged<Output>(call: GatedCall<Output>, input: unknown): Promise<Output> {
    this.#executed[1] += 1;
    this.#noteUnlogged(call, 'begun');
    const output = await call.perform(input);
    this.#noteUnlogged(call, 'succeeded');
    return output;
  }

  /** What it has done, rules that say `after` must know, from now on and when the log can be written again. */
  #noteUnlogged({ actor, action }: GatedCall<unknown>, stage: 'begun' | 'succeeded'): void {
    const { history } = this.#parts;
    const at = history.noteUnlogged(actor, action, stage);
    this.#owed.add({
      write: (transaction) => history.note(transaction, actor, action, stage, at),
      tell: () => undefined,
    });
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

  async #act<Output>(call: GatedCall<Output>, input: unknown, go: Go): Promise<Output> {
    const { clock } = this.#parts;
    const { intentSeq, decision } = go;
    const { tier } = decision;
    this.#parts.emit('actionStarted', { ...this.#told(call, tier), seq: intentSeq, decision });
    const startedAt = clock.monotonic();
    this.#executed[allowedTier(tier)] += 1;
    let ending: Ending<Output>;
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
    { intentSeq, reservation, decision, argumentsDigest, taken }: Go,
    ending: Ending<unknown>,
    durationMs: number,
  ): Promise<void> {
    const { limits, history, takenBack } = this.#parts;
    const { tier, policyDigest } = decision;
    const { actor, action, takesBack, canBeTakenBack, runId = null } = call;
    const failure = ending.ok ? undefined : describeFailure(ending.error);
    const usage = ending.ok ? this.#usageOf(call, tier, ending.output) : {};
    // A tool that called another and was refused there may have done its own part before.
    const isSurelyNothing =
      !ending.ok && failure?.effect === 'none' && !isOfAnother(ending.error, failure.code, action);
    const outcome = !failure ? 'succeeded' : isSurelyNothing ? 'failed' : 'unknown';
    const errorCode = failure ? codeToKeep(failure.code) : null;
    const begun = { actor, action: takesBack?.action ?? action, argumentsDigest };
    // Now, for what the caller is given it may change.
    const resultDigest =
      ending.ok && canBeTakenBack === true ? this.#parts.digestOf(ending.output) : undefined;
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
      if (outcome !== 'failed')
        history.note(transaction, actor, action, outcome === 'succeeded' ? 'succeeded' : 'begun');
      if (outcome === 'failed') limits.release(transaction, reservation);
      else limits.commit(transaction, reservation, usage);
      if (canBeTakenBack === true)
        takenBack.noteEnded(transaction, intentSeq, begun, endingOf(outcome, resultDigest));
      if (taken !== undefined && outcome === 'failed')
        takenBack.giveBack(transaction, begun, taken);
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

  #denied(call: GatedCall<unknown>, decision: PolicyDecision): ToolDeniedError {
    this.#tellDenied(call, decision);
    const { rule, reasonCode, explanation } = decision;
    return new ToolDeniedError(call.action, { outcome: 'deny', rule, reasonCode, explanation });
  }

  #tellDenied(call: GatedCall<unknown>, decision: PolicyDecision): void {
    const { rule, reasonCode, explanation, tier } = decision;
    const told = this.#told(call, tier);
    this.#parts.emit('actionDenied', { ...told, rule, reasonCode, explanation });
  }

  #tellWaiting(
    call: GatedCall<unknown>,
    { approvalId, decision }: Extract<Verdict, { kind: 'waits' }>,
  ) {
    const { rule, tier } = decision;
    this.#parts.emit('approvalRequested', { ...this.#told(call, tier), approvalId, rule });
  }

  #told(
    {
      action,
      actor,
      runId,
      taskId,
    }: Pick<GatedCall<unknown>, 'action' | 'actor' | 'runId' | 'taskId'>,
    tier: Tier,
  ) {
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

function endingOf(outcome: 'succeeded' | 'failed' | 'unknown', resultDigest: string | undefined) {
  if (outcome === 'failed') return { kind: 'not done' } as const;
  if (resultDigest === undefined) return { kind: 'unknown' } as const;
  return { kind: 'done', resultDigest } as const;
}

/** What a call has, and a question about one does not. */
const UNSAID = { rationale: '', idempotencyKey: 'none', toolDigest: '' } as const;

function misfitting(error: Error): Obstacle {
  const explanation = 'Its arguments do not fit the schema of the tool.';
  return { reasonCode: 'INPUT_MISFIT', explanation, error };
}

/** A schema that failed, and would fail again. */
function uncheckable(error: unknown): Obstacle {
  const explanation = 'Its arguments could not be checked, for the schema of the tool threw.';
  return { reasonCode: 'INPUT_UNCHECKED', explanation, error };
}

/** Whether it was another tool, further in, that was refused. What this one's arguments lack is known before it is called. */
function isOfAnother(error: unknown, code: string, action: string): boolean {
  if (code !== 'CORE_TOOL_INPUT_INVALID') return REFUSALS.has(code);
  return Reflect.get(Object(error), 'tool') !== action;
}

/** What a gate says no with. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CORE_TOOL_DENIED',
  'CORE_APPROVAL_REQUIRED',
  'GOVERNANCE_UNAVAILABLE',
  'GOVERNANCE_CALL_INVALID',
]);

function isTier(tier: unknown): tier is Tier {
  return tier === 1 || tier === 2 || tier === 3 || tier === 4;
}

/** A decision of tier 4 is never allowed, so what is allowed has one of the others. */
function allowedTier(tier: Tier): 1 | 2 | 3 {
  if (tier === 4) throw new Error('An action of tier 4 was let through'); // a policy that breaks its own law
  return tier;
}
