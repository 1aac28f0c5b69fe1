import type { Actor, Tier } from '@buddy/core';
import { NOT_RECORDED, readArgument } from './argument.ts';
import { compileRules, type PlannedRule, RuleIndex } from './compile.ts';
import { MAYBE, NO } from './condition.ts';
import type {
  ActionHistory,
  ActionRequest,
  FactValue,
  Policy,
  PolicyDecision,
  ReasonCode,
} from './decision.ts';
import { valueOfFact } from './fact.ts';
import { type Case, judge } from './judge.ts';
import type { PolicyDocument } from './vocabulary.ts';

/** A decision of the past, as far as the log remembers what it was decided on. */
export interface RecordedRequest {
  action: string;
  actor: Actor;
  facts: Readonly<Record<string, FactValue>>;
}

export type ReplayedDecision =
  | { ok: true; decision: PolicyDecision }
  /** Facts that this policy would have to know, and that were not recorded: `input.amount`. */
  | { ok: false; missing: readonly string[] };

/** A policy that was read from a document, checked and compiled. */
export interface LoadedPolicy extends Policy {
  /** As written, frozen. */
  readonly document: PolicyDocument;
  /** As it was loaded, comments and all; loading it again gives this policy. */
  readonly text: string;
  /** What the text was called when it was loaded; a file's name, mostly. */
  readonly source: string;
  /** Decides again on what is known of an action of the past. Asks no history: what was recorded of it counts. */
  decideRecorded(request: RecordedRequest): ReplayedDecision;
}

/** Makes what a checked document says fit to be asked often. */
export function compilePolicy(
  written: Pick<LoadedPolicy, 'document' | 'text' | 'source' | 'digest'>,
): LoadedPolicy {
  const { digest, document } = written;
  const index = new RuleIndex(compileRules(document));
  const texts = new Set(textsOf(document));
  return Object.freeze<LoadedPolicy>({
    ...written,
    holds: (text) => texts.has(text),
    decide: (request, history) => decide(index, digest, request, history),
    decideRecorded: (request) => decideRecorded(index, digest, request),
  });
}

function textsOf(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  if (typeof part !== 'object' || part === null) return [];
  return Object.values(part).flatMap((inner) => textsOf(inner));
}

const LONGEST_ID = 1_024;
const UNSAFE_ACTION = "The action's name is not of 1 to 256 plain characters.";
const UNSAFE_ACTOR = "The actor's kind or id is none.";

function decide(
  index: RuleIndex,
  policyDigest: string,
  request: ActionRequest,
  history: ActionHistory,
): PolicyDecision {
  const { action, actor, input, at } = request;
  if (!isActor(actor)) return refusal('INPUT_UNSAFE', UNSAFE_ACTOR, policyDigest);
  const plan = index.planFor(action);
  if (!plan) return refusal('INPUT_UNSAFE', UNSAFE_ACTION, policyDigest);
  const { slots } = plan;
  const values: unknown[] = [];
  for (const slot of slots) values.push(readArgument(input, slot.steps));
  return judge({
    plan,
    actor,
    declaredTier: tierOf(request.declaredTier),
    values,
    hasDone: ({ rule: { after } }) =>
      after && Number.isFinite(at)
        ? history.hasDone(actor, after.matches, at - after.withinMs)
        : undefined,
    policyDigest,
  });
}

function decideRecorded(
  index: RuleIndex,
  policyDigest: string,
  { action, actor, facts }: RecordedRequest,
): ReplayedDecision {
  const plan = index.planFor(action);
  if (!plan || !isActor(actor)) {
    const why = plan ? UNSAFE_ACTOR : UNSAFE_ACTION;
    return { ok: true, decision: refusal('INPUT_UNSAFE', why, policyDigest) };
  }
  const missing = new Set<string>();
  const values = plan.slots.map(({ key }) => valueOfFact(ownFact(facts, key)));
  const tier = ownFact(facts, 'tool.tier');
  if (tier === undefined) missing.add('tool.tier');
  const hasDone = ({ rule: { after } }: PlannedRule) => {
    const fact = after && ownFact(facts, after.key);
    return typeof fact === 'boolean' || fact === 'begun' ? fact : undefined;
  };
  for (const planned of plan.rules) {
    if (planned.rule.isLive)
      for (const key of unknownTo(planned, { plan, actor, values, hasDone })) missing.add(key);
  }
  if (missing.size > 0) return { ok: false, missing: [...missing].toSorted() };
  const declaredTier = typeof tier === 'number' ? tierOf(tier) : undefined;
  const decision = judge({ plan, actor, declaredTier, values, hasDone, policyDigest });
  return { ok: true, decision };
}

/** What a rule would have to know to be judged; nothing when what is known rules it out. */
function unknownTo(
  { rule, tests, history, limits }: PlannedRule,
  { plan, actor, values, hasDone }: Pick<Case, 'plan' | 'actor' | 'values' | 'hasDone'>,
): string[] {
  if (rule.actor && !rule.actor.fits(actor)) return [];
  if (tests.some(({ slot, condition }) => condition.test(values[slot]) === NO)) return [];
  const planned = { rule, tests, history, limits };
  if (history >= 0 && hasDone(planned) === false) return [];
  const slots = [
    ...tests.flatMap(({ slot, condition }) =>
      condition.test(values[slot]) === MAYBE ? [slot] : [],
    ),
    ...limits.flatMap(({ amountSlot, currencySlot }) => [amountSlot, currencySlot]),
  ];
  const keys = slots.flatMap((slot) => {
    const key = plan.slots[slot]?.key;
    return key !== undefined && values[slot] === NOT_RECORDED ? [key] : [];
  });
  return history >= 0 && hasDone(planned) === undefined && rule.after
    ? [...keys, rule.after.key]
    : keys;
}

function ownFact(facts: Readonly<Record<string, FactValue>>, key: string): FactValue | undefined {
  return Object.hasOwn(facts, key) ? facts[key] : undefined;
}

/** What comes from JavaScript may be of any type, whatever is declared. */
function isActor({ kind, id }: Actor): boolean {
  return (
    typeof id === 'string' &&
    id.length <= LONGEST_ID &&
    (kind === 'agent' || kind === 'human' || kind === 'system')
  );
}

/** What is no tier counts as the highest. */
function tierOf(tier: number | undefined): Tier | undefined {
  if (tier === undefined) return undefined;
  return tier === 1 || tier === 2 || tier === 3 ? tier : 4;
}

/** The digest of no policy. */
export const NO_POLICY_DIGEST = '0'.repeat(64);

/** The policy where none could be loaded: everything is blocked. */
export const blockEverything: Policy = Object.freeze<Policy>({
  digest: NO_POLICY_DIGEST,
  holds: () => false,
  decide: () =>
    refusal('NO_POLICY', 'No policy could be loaded, so nothing may run.', NO_POLICY_DIGEST),
});

function refusal(
  reasonCode: ReasonCode,
  explanation: string,
  policyDigest: string,
): PolicyDecision {
  return Object.freeze<PolicyDecision>({
    outcome: 'deny',
    tier: 4,
    rule: 'default',
    reasonCode,
    explanation,
    facts: NO_FACTS,
    limits: NONE,
    shadow: NONE,
    policyDigest,
  });
}

const NO_FACTS = Object.freeze({});
const NONE: readonly never[] = Object.freeze([]);
