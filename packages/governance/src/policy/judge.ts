import type { Actor, Tier } from '@buddy/core';
import type { CompiledLimit, Plan, PlannedRule } from './compile.ts';
import { describeValue, MAYBE, NO, type Truth, YES } from './condition.ts';
import type {
  ApprovalDemand,
  FactValue,
  HasDone,
  LimitDemand,
  NearestRule,
  PolicyDecision,
  ReasonCode,
} from './decision.ts';
import { factOf } from './fact.ts';
import { minorUnits } from './measures.ts';

/** What is being decided on, read out and in the order of the plan. */
export interface Case {
  plan: Plan;
  actor: Actor;
  declaredTier: Tier | undefined;
  /** By slot of the plan. */
  values: readonly unknown[];
  /** Whether an `after` holds; asked only where it matters. Undefined where that cannot be known. */
  hasDone(rule: PlannedRule): HasDone | undefined;
  policyDigest: string;
}

/**
 * Block over approve over allow, whatever the order of the rules, and no without a rule that permits.
 *
 * A rule whose condition is MAYBE restricts as if it were met, and permits nothing: it blocks, it asks for approval of what
 * another rule allows, it raises the tier, its limits count.
 */
export function judge(it: Case): PolicyDecision {
  const seen = new Seen(it);
  for (const planned of it.plan.rules) {
    const truth = seen.truthOf(planned);
    if (truth !== NO) seen.take(planned, truth);
  }
  return conclude(seen);
}

function conclude(seen: Seen): PolicyDecision {
  if (seen.block) {
    const { id } = seen.block.rule;
    return denied(seen, id, 'POLICY_BLOCKED', `Rule ${id} blocks it.`);
  }
  if (!seen.isTierKnown) return denied(seen, 'default', 'UNKNOWN_ACTION', UNKNOWN);
  if (seen.tier === 4) return denied(seen, seen.tierRule ?? 'default', 'TIER_FORBIDDEN', FORBIDDEN);
  if (!seen.isPermitted) return denied(seen, 'default', 'NO_RULE_ALLOWS', 'No rule lets it run');
  const limits = seen.limited ? demandsOf(seen.limited, seen.it.values) : NOTHING;
  if ('unreadable' in limits) {
    const { rule } = limits.unreadable.demand;
    const explanation = `What rule ${rule} limits cannot be counted, for ${limits.why}.`;
    return denied(seen, rule, 'INPUT_UNSAFE', explanation);
  }
  if (seen.approvals) return toBeApproved(seen, seen.approvals, limits);
  const rule = seen.allow?.rule.id ?? 'default';
  return Object.freeze<PolicyDecision>({
    outcome: 'allow',
    tier: seen.finalTier,
    rule,
    reasonCode: 'POLICY_ALLOWED',
    explanation: `Rule ${rule} allows it, at tier ${seen.tier}.`,
    facts: factsOf(seen),
    limits,
    shadow: seen.frozenShadow,
    policyDigest: seen.it.policyDigest,
  });
}

const UNKNOWN =
  'Nobody has said how far the action reaches, neither its tool nor a rule, so it counts as tier 4.';
const FORBIDDEN = 'It is of tier 4, which an agent never does.';
const NOTHING: readonly never[] = Object.freeze([]);

/** What going through the rules has shown so far. Nothing of it depends on their order, save which of equals is named. */
class Seen {
  readonly it: Case;
  /** By index into the plan's `historyKeys`; only what was asked. */
  readonly history: (HasDone | undefined)[] = [];
  tier: number;
  isTierKnown: boolean;
  tierRule: string | undefined;
  block: PlannedRule | undefined;
  allow: PlannedRule | undefined;
  approvals: PlannedRule[] | undefined;
  /** Whether a rule surely lets it run, with or without approval. */
  isPermitted = false;
  limited: PlannedRule[] | undefined;
  shadow: PolicyDecision['shadow'][number][] | undefined;
  /** Of the live rules that allow, the one with the fewest failed conditions; and of those that allow or approve. */
  nearestAllow: PlannedRule | undefined;
  nearestPermit: PlannedRule | undefined;
  #fewestAllow = Infinity;
  #fewestPermit = Infinity;

  constructor(it: Case) {
    this.it = it;
    this.tier = it.declaredTier ?? 0;
    this.isTierKnown = it.declaredTier !== undefined;
  }

  get finalTier(): Tier {
    if (!this.isTierKnown) return 4;
    return this.tier === 1 || this.tier === 2 || this.tier === 3 ? this.tier : 4;
  }

  get frozenShadow(): PolicyDecision['shadow'] {
    return this.shadow ? Object.freeze(this.shadow) : NOTHING;
  }

  /** The least of its conditions' answers. Asks for what was done before only when all else may hold. */
  truthOf(planned: PlannedRule): Truth {
    const { rule, tests, history } = planned;
    const { it } = this;
    const permits = rule.effect !== 'block';
    let truth: Truth = YES;
    let failures = 0;
    if (rule.actor && !rule.actor.fits(it.actor)) {
      truth = NO;
      failures = 1;
    }
    for (const { slot, condition } of tests) {
      if (truth === NO && !permits) return NO;
      const answer = condition.test(it.values[slot]);
      if (answer < truth) truth = answer;
      if (answer !== YES) failures += 1;
    }
    if (history >= 0 && truth !== NO) {
      const isDone = (this.history[history] ??= it.hasDone(planned));
      if (isDone !== true) failures += 1;
      if (isDone === false) truth = NO;
      else if (isDone !== true) truth = MAYBE;
    }
    if (permits && rule.isLive) this.#compare(planned, failures);
    return truth;
  }

  #compare(planned: PlannedRule, failures: number): void {
    if (failures < this.#fewestPermit) {
      this.#fewestPermit = failures;
      this.nearestPermit = planned;
    }
    if (planned.rule.effect === 'allow' && failures < this.#fewestAllow) {
      this.#fewestAllow = failures;
      this.nearestAllow = planned;
    }
  }

  /** Takes a rule into account that is met, or may be. */
  take(planned: PlannedRule, truth: Truth): void {
    const { rule } = planned;
    if (!rule.isLive) {
      const outcome = rule.effect === 'block' ? 'deny' : rule.effect;
      if (truth === YES || rule.effect !== 'allow')
        (this.shadow ??= []).push(Object.freeze({ rule: rule.id, outcome }));
      return;
    }
    if (rule.tier !== undefined) {
      if (truth === YES) this.isTierKnown = true;
      if (rule.tier > this.tier) {
        this.tier = rule.tier;
        this.tierRule = rule.id;
      }
    }
    if (planned.limits.length > 0) (this.limited ??= []).push(planned);
    switch (rule.effect) {
      case 'block':
        this.block ??= planned;
        return;
      case 'approve':
        (this.approvals ??= []).push(planned);
        if (truth === YES) this.isPermitted = true;
        return;
      case 'allow':
        if (truth !== YES) return;
        this.isPermitted = true;
        this.allow ??= planned;
    }
  }
}

function denied(seen: Seen, rule: string, reasonCode: ReasonCode, why: string): PolicyDecision {
  const near = seen.nearestPermit;
  if (!near) return refusal(seen, rule, reasonCode, why.endsWith('.') ? why : `${why}.`);
  const failed = firstFailure(near, seen, 'deny', rule);
  const explanation = why.endsWith('.')
    ? why
    : `${why}; the nearest, ${near.rule.id}, does not, for ${failed}.`;
  return refusal(
    seen,
    rule,
    reasonCode,
    explanation,
    Object.freeze({ rule: near.rule.id, failed }),
  );
}

function refusal(
  seen: Seen,
  rule: string,
  reasonCode: ReasonCode,
  explanation: string,
  nearest?: NearestRule,
): PolicyDecision {
  const decision: PolicyDecision = {
    outcome: 'deny',
    tier: seen.finalTier,
    rule,
    reasonCode,
    explanation,
    facts: factsOf(seen),
    limits: NOTHING,
    shadow: seen.frozenShadow,
    policyDigest: seen.it.policyDigest,
  };
  if (nearest) decision.nearest = nearest;
  return Object.freeze(decision);
}

function toBeApproved(
  seen: Seen,
  approvals: readonly PlannedRule[],
  limits: readonly LimitDemand[],
): PolicyDecision {
  const { rule, approval } = strictest(approvals);
  if (approval.from.length === 0) {
    const rules = approvals.map((one) => one.rule.id).join(' and ');
    const why = `Rules ${rules} ask for approval by different roles, so that nobody may give it.`;
    return denied(seen, rule, 'POLICY_BLOCKED', why);
  }
  const people = approval.quorum === 1 ? 'one person' : `${approval.quorum} people`;
  const decision: PolicyDecision = {
    outcome: 'approve',
    tier: seen.finalTier,
    rule,
    reasonCode: 'POLICY_APPROVAL_REQUIRED',
    explanation: `Rule ${rule} lets it run, at tier ${seen.tier}, once ${people} of ${approval.from.join(' or ')} approved.`,
    facts: factsOf(seen),
    approval,
    limits,
    shadow: seen.frozenShadow,
    policyDigest: seen.it.policyDigest,
  };
  const near = seen.nearestAllow;
  if (near) {
    const failed = firstFailure(near, seen, 'approve', rule);
    decision.nearest = Object.freeze({ rule: near.rule.id, failed });
  }
  return Object.freeze(decision);
}

/** What meets the demands of all: voters whom each rule accepts, the highest quorum, the earliest expiry. */
function strictest(approvals: readonly PlannedRule[]): { rule: string; approval: ApprovalDemand } {
  const demands = approvals.flatMap(({ rule }) =>
    rule.approval ? [{ rule: rule.id, approval: rule.approval }] : [],
  );
  const [first, ...others] = demands;
  if (!first) throw new TypeError('A rule that asks for approval has to say whose');
  if (others.length === 0) return first;
  let { rule, approval } = first;
  for (const other of others) {
    const { from, not } = approval;
    if (other.approval.quorum > approval.quorum) ({ rule } = other);
    approval = {
      from: from.filter((role) => other.approval.from.includes(role)),
      quorum: Math.max(approval.quorum, other.approval.quorum),
      not: [...new Set([...not, ...other.approval.not])].toSorted(),
      expiresMs: Math.min(approval.expiresMs, other.approval.expiresMs),
    };
  }
  Object.freeze(approval.from);
  Object.freeze(approval.not);
  return { rule, approval: Object.freeze(approval) };
}

type Demands = readonly LimitDemand[] | { unreadable: CompiledLimit; why: string };

function demandsOf(limited: readonly PlannedRule[], values: readonly unknown[]): Demands {
  const demands: LimitDemand[] = [];
  for (const { limits } of limited) {
    for (const { limit, amountSlot, currencySlot } of limits) {
      const { currency } = limit.demand;
      if (currencySlot >= 0 && values[currencySlot] !== currency)
        return {
          unreadable: limit,
          why: `input.${limit.currencyPath} must be ${JSON.stringify(currency)}`,
        };
      if (amountSlot < 0) {
        demands.push(limit.fixed);
        continue;
      }
      const value = values[amountSlot];
      const amount = typeof value === 'number' ? minorUnits(value, limit.digits) : undefined;
      if (amount === undefined)
        return {
          unreadable: limit,
          why: `input.${limit.amountPath} ${describeValue(value)}, and must be an amount of 0 or more`,
        };
      demands.push(Object.freeze({ ...limit.demand, amount }));
    }
  }
  return Object.freeze(demands);
}

/** Why a rule that would have let more happen did not. */
function firstFailure(
  { rule, tests, history }: PlannedRule,
  { it, history: done }: Seen,
  outcome: 'deny' | 'approve',
  decidedBy: string,
): string {
  if (rule.actor && !rule.actor.fits(it.actor)) return rule.actor.failure(it.actor);
  for (const { slot, condition } of tests) {
    const value = it.values[slot];
    const truth = condition.test(value);
    if (truth === YES) continue;
    const is =
      truth === MAYBE && typeof value === 'string'
        ? 'is a text that cannot be relied on'
        : describeValue(value);
    return `${it.plan.slots[slot]?.key ?? 'input'} ${is}, and ${condition.demand}`;
  }
  if (history >= 0 && done[history] === false) return rule.after?.failure ?? '';
  if (history >= 0 && done[history] === 'begun') return rule.after?.unfinished ?? '';
  if (decidedBy === 'default' || decidedBy === rule.id)
    return 'the tier is 4 or unknown, or its limit cannot be counted';
  return outcome === 'approve'
    ? `rule ${decidedBy} asks for approval`
    : `rule ${decidedBy} forbids it`;
}

function factsOf({ it, history }: Seen): Readonly<Record<string, FactValue>> {
  const { plan, values, actor } = it;
  const facts: Record<string, FactValue> = { ...plan.factsTemplate };
  facts['tool.tier'] = it.declaredTier ?? '[absent]';
  if (plan.looksAtKind) facts['actor.kind'] = actor.kind;
  if (plan.looksAtId) facts['actor.id'] = factOf(actor.id, ACTOR_ID);
  for (let n = 0; n < plan.slots.length; n += 1) {
    const slot = plan.slots[n];
    if (slot) facts[slot.key] = factOf(values[n], slot);
  }
  for (let n = 0; n < plan.historyKeys.length; n += 1) {
    const key = plan.historyKeys[n];
    const isDone = history[n];
    if (key !== undefined && isDone !== undefined) facts[key] = isDone;
  }
  return Object.freeze(facts);
}

const ACTOR_ID = { listed: new Set<string>(), isSecret: false };
