import { matchesGlob } from 'node:path';
import { keyedDraw } from '@buddy/core';
import type { Provider } from '../errors.ts';
import { FaultRulesError } from './errors.ts';
import type { FaultRule, Faults } from './fault-rule.ts';
import { SEED_FAULTS } from './profiles.ts';

/** Decides which calls go wrong. */
export interface FaultPlan {
  /**
   * What befalls the `n`th call of an operation: fixed by seed, provider, operation and `n`, so that other calls, and the
   * order in which concurrent ones are served, never move it.
   */
  draw(operation: string, n: number): FaultRule | undefined;
  /** Whether the `n`th call, which ends without an answer, was carried out first. It is in half the cases. */
  isCommitted(operation: string, n: number): boolean;
}

/**
 * Spreads the rules over a provider's operations. An operation's rules share its one draw, each a slice of [0, 1), so
 * that they exclude each other and their rates add up exactly.
 * @throws {FaultRulesError} When a rule fits no operation, or the rates of one operation add up to more than 1.
 */
export function planFaults(
  provider: Provider,
  operations: readonly string[],
  seed: number | string,
  faults: Faults,
): FaultPlan {
  const rules = rulesOf(faults).filter(({ match }) => (match.provider ?? provider) === provider);
  for (const { match } of rules) {
    if (operations.some((operation) => matchesGlob(operation, match.operation))) continue;
    throw new FaultRulesError(
      `Fault rule for "${match.operation}" fits no operation of ${provider}; it has ${operations.join(', ')}`,
    );
  }
  const slices = new Map(operations.map((operation) => [operation, slicesOf(operation, rules)]));
  return {
    draw: (operation, n) => {
      const mine = slices.get(operation) ?? [];
      if (mine.length === 0) return undefined;
      const drawn = keyedDraw(seed, provider, operation, n);
      return mine.find(({ upTo }) => drawn < upTo)?.rule;
    },
    isCommitted: (operation, n) => keyedDraw(seed, provider, operation, n, 'committed') < 0.5,
  };
}

function rulesOf(faults: Faults): readonly FaultRule[] {
  switch (faults) {
    case 'none':
      return [];
    case 'seed':
      return SEED_FAULTS;
    default:
      return faults;
  }
}

/** Sums of rates such as 0.1 + 0.2 pass 1 by less than this. */
const ROUNDING = 1e-9;

function slicesOf(
  operation: string,
  rules: readonly FaultRule[],
): readonly { upTo: number; rule: FaultRule }[] {
  let upTo = 0;
  const slices = rules
    .filter(({ match }) => matchesGlob(operation, match.operation))
    .map((rule) => ({ rule, upTo: (upTo += rule.when.rate) }));
  if (upTo > 1 + ROUNDING) {
    throw new FaultRulesError(
      `Fault rates of ${operation} add up to ${upTo}; lower them to 1 or less`,
    );
  }
  return slices;
}
