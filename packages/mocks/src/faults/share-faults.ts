import type { Faults } from './fault-rule.ts';
import { fits } from './fault-plan.ts';

/**
 * What each of several mocks gets of faults that are meant for all of them. A rule that names no provider has to fit one of
 * them; a mock that has no such operation does not get it. What fits none of them all of them get, to refuse it.
 * @param operations Of each mock, those that it has.
 */
export function shareFaults(
  faults: Faults,
  operations: readonly (readonly string[])[],
): readonly Faults[] {
  if (typeof faults === 'string') return operations.map(() => faults);
  return operations.map((own) =>
    faults.filter(
      (rule) =>
        rule.match.provider !== undefined ||
        fits(rule, own) ||
        !operations.some((others) => fits(rule, others)),
    ),
  );
}
