import { parseOrThrow } from '@buddy/core';
import type { WireProvider } from '../wire/provider.ts';
import { deepFreeze } from './deep-freeze.ts';
import { type FaultPlan, planFaults } from './fault-plan.ts';
import { type FaultRule, Faults } from './fault-rule.ts';
import { rulesOf } from './profiles.ts';

/** What goes wrong, from now on. */
export interface FaultControl {
  /**
   * Puts other rules in force, from the next call on.
   * @throws {InvalidInputError} {FaultRulesError} When they do not fit; those in force stay.
   */
  use(faults: Faults): void;
  /** As they were put in force: a profile's name, or rules, which nobody can change. */
  readonly inForce: Faults;
  /** What rules can be about here. */
  readonly operations: readonly string[];
  /** The rules that this comes to. */
  readonly rules: readonly FaultRule[];
}

/** The faults of one mock, which can be replaced while it is at work. */
export class FaultsInForce implements FaultControl {
  readonly #provider: WireProvider;
  readonly #seed: number | string;
  #inForce: Faults;
  #plan: FaultPlan;

  constructor(provider: WireProvider, seed: number | string, faults: Faults) {
    this.#provider = provider;
    this.#seed = seed;
    this.#plan = this.#planOf(faults);
    this.#inForce = deepFreeze(faults);
  }

  get inForce(): Faults {
    return this.#inForce;
  }

  get operations(): readonly string[] {
    return Object.keys(this.#provider.operations);
  }

  get rules(): readonly FaultRule[] {
    return rulesOf(this.#inForce);
  }

  get plan(): FaultPlan {
    return this.#plan;
  }

  /** Whether a provider is to refuse what is beyond its own limits. */
  get areLimitsEnforced(): boolean {
    return this.#inForce === 'real-limits';
  }

  use(faults: Faults): void {
    const parsed = parseOrThrow(Faults, faults, 'fault rules');
    this.#plan = this.#planOf(parsed);
    this.#inForce = deepFreeze(parsed);
  }

  #planOf(faults: Faults): FaultPlan {
    return planFaults(this.#provider.name, this.operations, this.#seed, faults);
  }
}
