import { FaultsForbiddenError } from './errors.ts';

/** What test runners set in the processes that they run tests in. */
const TEST_RUNNERS = ['VITEST', 'JEST_WORKER_ID', 'NODE_TEST_CONTEXT'];

/**
 * Faults break things for real, so they have to be asked for: by `BUDDY_FAULTS=1`, or by being in a test. `BUDDY_FAULTS=0`
 * forbids them in tests too.
 * @throws {FaultsForbiddenError} When they are not.
 */
export function assertFaultsAllowed(environment: NodeJS.ProcessEnv): void {
  const wish = environment['BUDDY_FAULTS'] ?? '';
  if (wish === '1') return;
  const isInTest = TEST_RUNNERS.some((name) => (environment[name] ?? '') !== '');
  if (wish === '' && isInTest) return;
  throw new FaultsForbiddenError(
    wish === ''
      ? 'Faults are refused outside of tests: set BUDDY_FAULTS=1 to break things here on purpose.'
      : `Faults are refused by BUDDY_FAULTS=${wish}; only 1 allows them.`,
  );
}
