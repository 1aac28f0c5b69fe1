import type { Actor, Tier } from '@buddy/core';

/** What the gate asks of a policy: one intended call, and what is known of it. */
export interface ActionRequest {
  /** The tool's name, `provider.resource.verb`. */
  action: string;
  actor: Actor;
  /** The arguments: plain data that nobody vouches for. Never interpreted, only compared. */
  input: unknown;
  /** What the tool's author says of it. Absent for tools of other frameworks; then only a rule can say. */
  declaredTier?: Tier;
  runId?: string;
  /** Of the request, in ms since the Unix epoch. */
  at: number;
}

/** What an actor has done of late; for rules that say `after`. */
export interface ActionHistory {
  /**
   * Whether this actor, in this run or another, did an action that `matches` at or after `since` (ms since the epoch).
   * `begun`: it was begun, and is not known to have succeeded; that counts for rules that restrict, and permits nothing.
   */
  hasDone(actor: Actor, matches: (action: string) => boolean, since: number): HasDone;
}

export type HasDone = boolean | 'begun';

export type ReasonCode =
  | 'POLICY_ALLOWED'
  | 'POLICY_APPROVAL_REQUIRED'
  | 'POLICY_BLOCKED'
  /** No rule speaks of the action in a way that would let it run. */
  | 'NO_RULE_ALLOWS'
  /** Neither a tool's author nor a rule knows the action: tier 4. */
  | 'UNKNOWN_ACTION'
  | 'TIER_FORBIDDEN'
  /** No policy could be loaded: everything is blocked. */
  | 'NO_POLICY'
  | 'LIMIT_REACHED'
  | 'KILL_SWITCH'
  | 'LOG_UNAVAILABLE'
  | 'INPUT_UNSAFE'
  /** What was said of the call is not of a form that can be decided on: no actor, a reason that is no text. */
  | 'CALL_INVALID'
  /** Nobody waited for the call any more when its turn came. */
  | 'CALL_ABORTED'
  /** The arguments do not fit the tool's own schema, or could not be checked against it. */
  | 'INPUT_MISFIT'
  | 'INPUT_UNCHECKED'
  | 'RATIONALE_MISSING'
  /** No rule speaks of taking this back; who was allowed to do it may. */
  | 'UNDO_OF_DONE'
  | 'APPROVAL_DENIED'
  | 'APPROVAL_EXPIRED'
  | 'APPROVAL_INVALID';

/**
 * A value that a rule looked at: a number, a boolean, null, or a text of at most 64 characters without secrets. What is not
 * such is a text that begins with a marker: `[absent]`, `[list]`, `[object]`, `[unreadable]`, `[not a number]`, `[redacted] …`,
 * `[cut] …`, `[hidden characters] …`; a text that itself begins with a bracket has `[text]` in front.
 */
export type FactValue = string | number | boolean | null;

/** Who has to agree. */
export interface ApprovalDemand {
  /** Roles of which any may vote. */
  from: readonly string[];
  /** Distinct people. */
  quorum: number;
  /** Who may not vote, beside the standing exclusions. */
  not: readonly ('requester' | 'owner' | 'policy_author')[];
  /** Ms after which the request expires; expiry never approves. */
  expiresMs: number;
}

/** One limit that an allowed action has to be within, and how much of it this action takes. */
export interface LimitDemand {
  /** The rule's id; together with measure, `by` and window, what usage is counted under: a rule may have several limits. */
  rule: string;
  measure: 'calls' | 'spend' | 'tokens';
  /** In calls, in minor units of `currency` (cents), or in tokens. */
  allowed: number;
  currency?: string;
  windowMs: number;
  by: 'agent' | 'run' | 'tool' | 'all';
  /** How much this action is going to take, as far as its arguments tell; 0 for what only the tool can tell afterwards. */
  amount: number;
  /** What it takes is known only from its result. Then one such call at a time is let through. */
  isCountedAfterwards?: true;
}

export interface NearestRule {
  rule: string;
  /** The condition that failed, in words: `input.amount is 900, and must be at most 50`. */
  failed: string;
}

/** What a policy says of one request. Deep-frozen; it carries all that is needed to explain it later. */
export interface PolicyDecision {
  outcome: 'allow' | 'approve' | 'deny';
  tier: Tier;
  /** The id of the rule that decided; `default` where none did. */
  rule: string;
  reasonCode: ReasonCode;
  /** One sentence for people. Holds no text that an agent wrote. */
  explanation: string;
  /**
   * What rules for the action looked at, by path: `tool.tier` (as declared; always there), `actor.kind`, `actor.id`,
   * `input.amount`, `history: crm.read within 3600000 ms` (true, false, or `begun`).
   */
  facts: Readonly<Record<string, FactValue>>;
  approval?: ApprovalDemand;
  limits: readonly LimitDemand[];
  /** The rule that came nearest to allowing what was not allowed. */
  nearest?: NearestRule;
  /** What rules in shadow mode would have said, had they been live. */
  shadow: readonly { rule: string; outcome: 'allow' | 'approve' | 'deny' }[];
  /** SHA-256 of the policy's canonical JSON (RFC 8785), in hex. */
  policyDigest: string;
}

/** A policy that was checked and compiled; immutable, so a run can hold on to it. */
export interface Policy {
  readonly digest: string;
  /** Whether the policy's own document has this text in it: then it tells nothing that the policy does not. */
  holds(text: string): boolean;
  decide(request: ActionRequest, history: ActionHistory): PolicyDecision;
}
