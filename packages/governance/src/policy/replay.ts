import type { Actor, Tier } from '@buddy/core';
import type { LoadedPolicy } from './compiled-policy.ts';
import type { FactValue, PolicyDecision, ReasonCode } from './decision.ts';

/** An `intent` or `refusal` of the log, as far as a replay needs it; entries of the log are such. */
export interface PastDecision {
  seq: number;
  /** Ms since the epoch. */
  at: number;
  actor: Actor;
  action: string;
  tier: Tier;
  decision: 'allow' | 'deny' | 'approve';
  rule: string;
  reasonCode: ReasonCode;
  approvalId: string | null;
  facts: Readonly<Record<string, FactValue>>;
}

type Outcome = PolicyDecision['outcome'];

export interface ChangedDecision {
  seq: number;
  at: number;
  action: string;
  actor: Actor;
  before: { outcome: Outcome; tier: Tier; rule: string };
  after: { outcome: Outcome; tier: Tier; rule: string; explanation: string };
  /** Which way: may less be done, more, or the same with another tier. */
  change: 'stricter' | 'laxer' | 'tier';
}

export interface PolicyReplay {
  /** Decisions looked at. */
  total: number;
  unchanged: number;
  changed: readonly ChangedDecision[];
  /** Those that the new policy would decide by what the log does not hold. */
  unknown: readonly { seq: number; action: string; missing: readonly string[] }[];
  /** Those that no policy had made: limits, the kill switch, a log that could not be written. */
  notByPolicy: number;
}

/**
 * What a policy would have said of the past. The log holds no arguments, only the facts that the rules of then looked at; a
 * decision for which the new policy would have to know more is counted as `unknown`, never guessed. What was limited then is
 * left out, and limits of the new policy are not counted up.
 */
export async function replayPolicy(
  policy: LoadedPolicy,
  past: Iterable<PastDecision> | AsyncIterable<PastDecision>,
): Promise<PolicyReplay> {
  const changed: ChangedDecision[] = [];
  const unknown: { seq: number; action: string; missing: readonly string[] }[] = [];
  let [total, unchanged, notByPolicy] = [0, 0, 0];
  for await (const entry of past) {
    total += 1;
    const before = outcomeByPolicy(entry);
    if (before === undefined) {
      notByPolicy += 1;
      continue;
    }
    const result = policy.decideRecorded(entry);
    if (!result.ok) {
      unknown.push({ seq: entry.seq, action: entry.action, missing: result.missing });
      continue;
    }
    const change = changeOf({ outcome: before, tier: entry.tier }, result.decision);
    if (change === undefined) unchanged += 1;
    else changed.push(describeChange(entry, before, result.decision, change));
  }
  return { total, unchanged, changed, unknown, notByPolicy };
}

/** What the policy of then had said; undefined where something else decided before or after it. */
function outcomeByPolicy({ decision, reasonCode, approvalId }: PastDecision): Outcome | undefined {
  switch (reasonCode) {
    case 'POLICY_ALLOWED':
    case 'POLICY_APPROVAL_REQUIRED':
    case 'POLICY_BLOCKED':
    case 'NO_RULE_ALLOWS':
    case 'UNKNOWN_ACTION':
    case 'TIER_FORBIDDEN':
    case 'NO_POLICY':
      // Done with a person's word: the policy had asked for it.
      return approvalId === null ? decision : 'approve';
    case 'APPROVAL_DENIED':
    case 'APPROVAL_EXPIRED':
    case 'APPROVAL_INVALID':
      return 'approve';
    case 'INPUT_UNSAFE':
    case 'LIMIT_REACHED':
    case 'KILL_SWITCH':
    case 'LOG_UNAVAILABLE':
    case 'RATIONALE_MISSING':
    case 'CALL_INVALID':
    case 'CALL_ABORTED':
    case 'INPUT_MISFIT':
    case 'INPUT_UNCHECKED':
      return undefined;
    case 'UNDO_OF_DONE':
      return 'deny'; // no rule had allowed it
  }
}

const STRICTNESS: Readonly<Record<Outcome, number>> = { allow: 0, approve: 1, deny: 2 };

function changeOf(
  before: { outcome: Outcome; tier: Tier },
  after: PolicyDecision,
): ChangedDecision['change'] | undefined {
  const more = STRICTNESS[after.outcome] - STRICTNESS[before.outcome];
  if (more !== 0) return more > 0 ? 'stricter' : 'laxer';
  return before.tier === after.tier ? undefined : 'tier';
}

function describeChange(
  { seq, at, action, actor, tier, rule }: PastDecision,
  outcome: Outcome,
  after: PolicyDecision,
  change: ChangedDecision['change'],
): ChangedDecision {
  return {
    seq,
    at,
    action,
    actor,
    before: { outcome, tier, rule },
    after: {
      outcome: after.outcome,
      tier: after.tier,
      rule: after.rule,
      explanation: after.explanation,
    },
    change,
  };
}
