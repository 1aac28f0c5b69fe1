import type { Tier } from '@buddy/core';

/** What a step would do. */
export interface PlannedStep {
  readonly id: string;
  readonly description: string;
  readonly tier: Tier;
  /** False when the diagnosis says that it is not called for. */
  readonly isCalledFor: boolean;
  /** Why it may not run, or undefined when it may. */
  readonly refusal: string | undefined;
  readonly effects: readonly string[];
  /** How it is taken back, or why it cannot be. */
  readonly undo: string;
  readonly timeoutMs: number;
}

/** What a playbook would do to a resource, as things are. */
export interface Plan {
  readonly playbook: string;
  readonly resource: string;
  readonly roles: Readonly<Record<string, string>>;
  /** The highest tier of the steps that are called for. */
  readonly tier: Tier;
  readonly steps: readonly PlannedStep[];
  /** All effects of the steps that are called for. */
  readonly effects: readonly string[];
  /** Mean of its past runs on this resource, else its target, in ms. */
  readonly expectedMs: number;
}
