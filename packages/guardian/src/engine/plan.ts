import type { Tier } from '@buddy/core';
import { isRunnable } from '../playbook/define-playbook.ts';
import type { Step } from '../playbook/step.ts';

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

export interface DryRun {
  plan: Plan;
  /** Effects that each step called, by step. None was done. */
  calls: Readonly<Record<string, readonly string[]>>;
  /** Steps that could not be followed to their end without doing anything, and why. */
  problems: Readonly<Record<string, string>>;
}

/** How a step is taken back, in words. */
export function describeUndo(step: Step): string {
  if (!isRunnable(step)) return 'nothing to take back: a person does it';
  if (!('irreversible' in step.undo)) return step.undo.description;
  const { irreversible, compensate } = step.undo;
  return compensate
    ? `cannot be taken back (${irreversible}); instead: ${compensate.description}`
    : `cannot be taken back: ${irreversible}`;
}
