/**
 * How much autonomy a tool takes: 1 observes; 2 makes a change that can be taken back; 3 reaches outside, is costly or
 * hard to undo; 4 is never done by an agent. What is unknown is 4.
 */
export type Tier = 1 | 2 | 3 | 4;

/** Who acts. */
export interface Actor {
  kind: 'agent' | 'human' | 'system';
  id: string;
  /** The party in whose name it acts, when that is another. */
  onBehalfOf?: string;
}

/** One intended call of a tool. */
export interface Action {
  tool: string;
  input: unknown;
  actor: Actor;
  /** Why, in one short sentence written by the caller; never a prompt or a model's answer. */
  rationale: string;
  runId?: string;
  taskId?: string;
}

/** What a gate says of an action; `approve` means that a person must. */
export interface Decision {
  outcome: 'allow' | 'deny' | 'approve';
  /** The rule that decided, by its name. */
  rule: string;
  /** For programs: `POLICY_BLOCKED`, `LIMIT_REACHED`, … */
  reasonCode: string;
  /** For people: what was decided, and why. */
  explanation: string;
}
