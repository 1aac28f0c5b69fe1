import type { Actor, Tier } from '@buddy/core';
import { Condition } from './condition.ts';
import type { ApprovalDemand, FactValue, LimitDemand } from './decision.ts';
import { type FactRules, isSecretField } from './fact.ts';
import { matchesAction, matchesText } from './glob.ts';
import { durationMs, minorDigits, parseMoney } from './measures.ts';
import {
  type LimitDocument,
  listOf,
  type PolicyDocument,
  type RuleDocument,
  type WhenDocument,
} from './vocabulary.ts';

/** A rule in the shape in which it is applied. */
export interface CompiledRule {
  id: string;
  effect: 'allow' | 'approve' | 'block';
  isLive: boolean;
  tier: Tier | undefined;
  actions: readonly string[];
  actor: ActorCondition | undefined;
  args: readonly { path: string; condition: Condition }[];
  after: HistoryCondition | undefined;
  approval: ApprovalDemand | undefined;
  limits: readonly CompiledLimit[];
}

interface ActorCondition {
  kinds: readonly Actor['kind'][];
  ids: readonly string[];
  fits(actor: Actor): boolean;
  /** `must be agent`, `must fit ops-*`. */
  failure(actor: Actor): string;
}

interface HistoryCondition {
  matches: (action: string) => boolean;
  withinMs: number;
  /** What the fact is called: `history: crm.read within 3600000 ms`. */
  key: string;
  /** `crm.read was not done within 1h before`. */
  failure: string;
  unfinished: string;
}

export interface CompiledLimit {
  demand: Omit<LimitDemand, 'amount'>;
  /** Where the amount is read; undefined: `fixed` holds. */
  amountPath: string | undefined;
  fixed: Readonly<LimitDemand>;
  /** Digits after the point of what the argument is given in. */
  digits: number;
  currencyPath: string | undefined;
}

/** An argument that rules look at. */
interface Slot extends FactRules {
  /** `input.amount` */
  key: string;
  path: string;
  steps: readonly string[];
}

/** All that the policy has to say of one action, looked up once. */
export interface Plan {
  /** In the order in which the first of its kind decides: the most specific, then by id. Never the document's order. */
  rules: readonly PlannedRule[];
  slots: readonly Slot[];
  historyKeys: readonly string[];
  looksAtKind: boolean;
  looksAtId: boolean;
  /** The facts that are there in every decision, to be copied and filled in: faster than adding them one by one. */
  factsTemplate: Readonly<Record<string, FactValue>>;
}

export interface PlannedRule {
  rule: CompiledRule;
  tests: readonly { slot: number; condition: Condition }[];
  /** Index into `historyKeys`; -1 for rules without `after`. */
  history: number;
  limits: readonly { limit: CompiledLimit; amountSlot: number; currencySlot: number }[];
}

export function compileRules(document: PolicyDocument): CompiledRule[] {
  return document.rules.map((rule) => compileRule(rule, document.defaults?.approve ?? {}));
}

function compileRule(rule: RuleDocument, standard: StandardApproval): CompiledRule {
  const { id, when, tier, mode } = rule;
  return {
    id,
    effect: rule.block ? 'block' : rule.approve ? 'approve' : 'allow',
    isLive: mode !== 'shadow',
    tier,
    actions: listOf(when.action),
    actor: when.actor && compileActor(when.actor),
    args: Object.entries(when.args ?? {})
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, condition]) => ({ path, condition: new Condition(condition) })),
    after: when.after && compileAfter(when.after),
    approval: rule.approve && compileApproval(rule.approve, standard),
    limits: listOf(rule.limit).map((limit) => compileLimit(id, limit)),
  };
}

type StandardApproval = NonNullable<NonNullable<PolicyDocument['defaults']>['approve']>;

function compileApproval(own: StandardApproval, standard: StandardApproval): ApprovalDemand {
  const from = own.from ?? standard.from ?? ['operator', 'admin'];
  const not = own.not ?? standard.not ?? ['requester'];
  return Object.freeze({
    from: Object.freeze([...new Set(from)].toSorted()),
    quorum: own.quorum ?? standard.quorum ?? 1,
    not: Object.freeze([...new Set(not)].toSorted()),
    expiresMs: durationMs(own.expires ?? standard.expires ?? '1h'),
  });
}

function compileActor(document: NonNullable<WhenDocument['actor']>): ActorCondition {
  const kinds = listOf(document.kind);
  const ids = listOf(document.id);
  const fitsKind = (actor: Actor) => kinds.length === 0 || kinds.includes(actor.kind);
  return {
    kinds,
    ids,
    fits: (actor) =>
      fitsKind(actor) && (ids.length === 0 || ids.some((glob) => matchesText(glob, actor.id))),
    failure: (actor) =>
      fitsKind(actor)
        ? `actor.id must fit ${ids.join(' or ')}`
        : `actor.kind is ${actor.kind}, and must be ${kinds.join(' or ')}`,
  };
}

function compileAfter({ action, within }: NonNullable<WhenDocument['after']>): HistoryCondition {
  const globs = [...listOf(action)].toSorted();
  const withinMs = durationMs(within);
  return {
    matches: (done) => globs.some((glob) => matchesAction(glob, done)),
    withinMs,
    key: `history: ${globs.join(' or ')} within ${withinMs} ms`,
    failure: `${globs.join(' or ')} was not done within ${within} before`,
    unfinished: `${globs.join(' or ')} was begun within ${within} before, and is not known to have succeeded`,
  };
}

function compileLimit(rule: string, limit: LimitDocument): CompiledLimit {
  const money = limit.spend === undefined ? undefined : parseMoney(limit.spend);
  const demand: Omit<LimitDemand, 'amount'> = {
    rule,
    measure:
      limit.spend === undefined ? (limit.tokens === undefined ? 'calls' : 'tokens') : 'spend',
    allowed: money?.minor ?? limit.tokens ?? limit.calls ?? 0,
    ...(money && { currency: money.currency }),
    windowMs: durationMs(limit.per),
    by: limit.by,
    ...(limit.counted === 'afterwards' && { isCountedAfterwards: true }),
  };
  return {
    demand,
    amountPath: limit.amount,
    fixed: Object.freeze({ ...demand, amount: limit.calls === undefined ? 0 : 1 }),
    digits: money && limit.amount_in !== 'minor' ? (minorDigits(money.currency) ?? 0) : 0,
    currencyPath: limit.currency,
  };
}

/**
 * Finds the rules for an action without going through all of them, and remembers what it found.
 */
export class RuleIndex {
  readonly #exact = new Map<string, CompiledRule[]>();
  /** Rules with patterns, by their first segment where that is a plain word. */
  readonly #byFirstSegment = new Map<string, CompiledRule[]>();
  readonly #anywhere: CompiledRule[] = [];
  readonly #plans = new Map<string, Plan>();

  constructor(rules: readonly CompiledRule[]) {
    for (const rule of rules) for (const glob of new Set(rule.actions)) this.#add(glob, rule);
  }

  #add(glob: string, rule: CompiledRule): void {
    if (!glob.includes('*')) return push(this.#exact, glob, rule);
    const [first = ''] = glob.split('.');
    if (first.includes('*')) this.#anywhere.push(rule);
    else push(this.#byFirstSegment, first, rule);
  }

  /** Undefined for a name that no tool should have. */
  planFor(action: string): Plan | undefined {
    const known = this.#plans.get(action);
    if (known) return known;
    if (typeof action !== 'string' || !PLAIN_NAME.test(action)) return undefined;
    const plan = makePlan(this.#rulesFor(action));
    if (this.#plans.size >= MOST_PLANS) this.#plans.clear(); // names may come from outside, without end
    this.#plans.set(action, plan);
    return plan;
  }

  /** Each once, with the most specific first. */
  #rulesFor(action: string): CompiledRule[] {
    const exact = new Set(this.#exact.get(action));
    const [first = ''] = action.split('.');
    const byPattern = new Set(
      [...(this.#byFirstSegment.get(first) ?? []), ...this.#anywhere].filter(
        (rule) => !exact.has(rule) && rule.actions.some((glob) => matchesAction(glob, action)),
      ),
    );
    return [...[...exact].toSorted(byDetail), ...[...byPattern].toSorted(byDetail)];
  }
}

const MOST_PLANS = 4_096;
/** A name with a hidden or foreign character in it may pass for another. */
const PLAIN_NAME = /^[\x21-\x7E]{1,256}$/;

function push(map: Map<string, CompiledRule[]>, key: string, rule: CompiledRule): void {
  const rules = map.get(key);
  if (rules) rules.push(rule);
  else map.set(key, [rule]);
}

function byDetail(a: CompiledRule, b: CompiledRule): number {
  return b.args.length - a.args.length || (a.id < b.id ? -1 : 1);
}

function makePlan(rules: readonly CompiledRule[]): Plan {
  const slots: (Slot & { listed: Set<string> })[] = [];
  const historyKeys: string[] = [];
  const slotOf = (path: string) => {
    const known = slots.findIndex((slot) => slot.path === path);
    if (known >= 0) return known;
    const steps = path.split('.');
    const isSecret = steps.some(isSecretField);
    return slots.push({ key: `input.${path}`, path, steps, listed: new Set(), isSecret }) - 1;
  };
  const planned = rules.map((rule): PlannedRule => {
    const tests = rule.args.map(({ path, condition }) => {
      const slot = slotOf(path);
      for (const text of condition.listed) slots[slot]?.listed.add(text);
      return { slot, condition };
    });
    const limits = rule.limits.map((limit) => ({
      limit,
      amountSlot: limit.amountPath === undefined ? -1 : slotOf(limit.amountPath),
      currencySlot: limit.currencyPath === undefined ? -1 : slotOf(limit.currencyPath),
    }));
    return { rule, tests, history: rule.after ? indexIn(historyKeys, rule.after.key) : -1, limits };
  });
  return {
    rules: planned,
    slots,
    historyKeys,
    looksAtKind: rules.some(({ actor }) => (actor?.kinds.length ?? 0) > 0),
    looksAtId: rules.some(({ actor }) => (actor?.ids.length ?? 0) > 0),
    factsTemplate: Object.fromEntries(
      ['tool.tier', ...slots.map(({ key }) => key)].map((key) => [key, null]),
    ),
  };
}

function indexIn(list: string[], item: string): number {
  const known = list.indexOf(item);
  return known >= 0 ? known : list.push(item) - 1;
}
