import type { Reading } from '../resource/reading.ts';
import type { Needs, PlaybookContext } from './context.ts';
import type { NonEmpty } from './step.ts';

/** One question whose answer says whether the resource is well. It may not change anything. */
export interface Check<N extends Needs> {
  readonly name: string;
  readonly run: (context: PlaybookContext<N>) => Promise<Reading>;
}

/** How it is proved that a playbook helped. All checks have to be HEALTHY in one sample for it to count. */
export interface Verification<N extends Needs> {
  readonly checks: NonEmpty<Check<N>>;
  /** Good samples in a row. Default 2. */
  readonly successes?: number;
  /** Milliseconds between samples. Default 100. */
  readonly intervalMs?: number;
  /** The good samples have to come within this time, in ms. */
  readonly withinMs: number;
  /** How long it then has to stay good, in ms. Default 5 000. */
  readonly stableForMs?: number;
}

/**
 * The check that a role's own probe says HEALTHY.
 * @example
 * verify: { checks: [probeOf('service')], withinMs: 10_000 }
 */
export function probeOf<Role extends string>(
  role: Role,
): Check<Needs & Record<Role, Needs[string]>> {
  return {
    name: `${role}.probe`,
    run: async ({ resources, signal }) => resources[role].probe(signal),
  };
}
