import { matchesGlob } from 'node:path';
import { keyedDraw } from '@buddy/core';
import type { Provider } from '../errors.ts';
import { FaultRulesError } from './errors.ts';
import type { FaultRule, Faults, When } from './fault-rule.ts';
import { rulesOf } from './profiles.ts';

/** Decides which calls go wrong. */
export interface FaultPlan {
  /**
   * What befalls the `n`th call of an operation: fixed by seed, provider, operation and `n` (and, for windows, by
   * `sinceMs`), so that other calls, and the order in which concurrent ones are served, never move it.
   * @param sinceMs When the call began, in ms since the mock was made or reset.
   */
  draw(operation: string, n: number, sinceMs: number): FaultRule | undefined;
  /** Whether the `n`th call, which ends without an answer, was carried out first. It is in half the cases. */
  isCommitted(operation: string, n: number): boolean;
}

/**
 * Spreads the rules over a provider's operations. Rules that say which calls they strike come first, in their order. The
 * others share the operation's one draw, each a slice of [0, 1), so that they exclude each other and their rates add up
 * exactly.
 * @throws {FaultRulesError} When a rule fits no operation, or the rates of one operation add up to more than 1.
 */
export function planFaults(
  provider: Provider,
  operations: readonly string[],
  seed: number | string,
  faults: Faults,
): FaultPlan {
  const rules = rulesOf(faults).filter(({ match }) => (match.provider ?? provider) === provider);
  for (const rule of rules) {
    const { match } = rule;
    if (fits(rule, operations)) continue;
    throw new FaultRulesError(
      `Fault rule for "${match.operation}" fits no operation of ${provider}; it has ${operations.join(', ')}`,
    );
  }
  const plans = new Map(operations.map((operation) => [operation, planOf(operation, rules)]));
  return {
    draw: (operation, n, sinceMs) => {
      const plan = plans.get(operation);
      if (plan === undefined) return undefined;
      const fixed = plan.fixed.find(({ when }) => strikes(when, n, sinceMs));
      if (fixed !== undefined || plan.slices.length === 0) return fixed;
      const drawn = keyedDraw(seed, provider, operation, n);
      return plan.slices.find(({ upTo }) => drawn < upTo)?.rule;
    },
    isCommitted: (operation, n) => keyedDraw(seed, provider, operation, n, 'committed') < 0.5,
  };
}

/** Whether a rule is about any of these operations, whoever's they are. */
export function fits({ match }: FaultRule, operations: readonly string[]): boolean {
  return operations.some((operation) => matchesGlob(operation, match.operation));
}

interface OperationPlan {
  /** Those that name the calls they strike. */
  readonly fixed: readonly FaultRule[];
  readonly slices: readonly { upTo: number; rule: FaultRule }[];
}

function planOf(operation: string, rules: readonly FaultRule[]): OperationPlan {
  const fitting = rules.filter(({ match }) => matchesGlob(operation, match.operation));
  return {
    fixed: fitting.filter(({ when }) => when.rate === undefined),
    slices: slicesOf(operation, fitting),
  };
}

/** Sums of rates such as 0.1 + 0.2 pass 1 by less than this. */
const ROUNDING = 1e-9;

function slicesOf(operation: string, rules: readonly FaultRule[]): OperationPlan['slices'] {
  let upTo = 0;
  const slices = rules.flatMap((rule) => {
    if (rule.when.rate === undefined) return [];
    upTo += rule.when.rate;
    return { rule, upTo };
  });
  if (upTo > 1 + ROUNDING) {
    throw new FaultRulesError(
      `Fault rates of ${operation} add up to ${upTo}; lower them to 1 or less`,
    );
  }
  return slices;
}

function strikes({ nth, every, burst, window, script }: When, n: number, sinceMs: number): boolean {
  if (nth !== undefined) return typeof nth === 'number' ? nth === n : nth.includes(n);
  if (every !== undefined) return n % every === 0;
  if (burst !== undefined) return burst.from <= n && n <= burst.to;
  if (window !== undefined) return window.fromMs <= sinceMs && sinceMs < window.toMs;
  return script?.[n - 1] === 'strike';
}
