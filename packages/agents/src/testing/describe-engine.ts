import { CALL_CASES } from './cases/calls.ts';
import { COMPACTION_CASES } from './cases/compaction.ts';
import type { EngineCase } from './cases/engine-case.ts';
import { LARGE_VALUE_CASES } from './cases/large-values.ts';
import { RESTART_CASES } from './cases/restarts.ts';
import { SIGNAL_CASES } from './cases/signals.ts';
import { WORKFLOW_CASES } from './cases/workflows.ts';
import type { EnginePlace } from './engine-place.ts';

/** What every engine must do. */
const ENGINE_CASES: readonly EngineCase[] = [
  ...WORKFLOW_CASES,
  ...CALL_CASES,
  ...SIGNAL_CASES,
  ...LARGE_VALUE_CASES,
  ...RESTART_CASES,
  ...COMPACTION_CASES,
];

/** The functions of a test runner; those of Vitest, Jest and node:test will do. */
export interface TestRunner {
  describe: (name: string, define: () => void) => unknown;
  it: (title: string, test: () => Promise<void>) => unknown;
}

export interface DescribeEngineOptions {
  /** Whether what it runs outlives the process; if not, what needs that is left out. Default true. */
  isDurable?: boolean;
  /** How much sooner than a rate limit says a call may begin, for an engine whose dispatch is some time before the call; default 0. */
  toleranceMs?: number;
}

/**
 * What every engine must do, as tests: each in a place of its own.
 * @example
 * describeEngine('my engine', makePlace, { describe, it });
 */
export function describeEngine(
  name: string,
  makePlace: () => EnginePlace | Promise<EnginePlace>,
  { describe, it }: TestRunner,
  { isDurable = true, toleranceMs = 0 }: DescribeEngineOptions = {},
): void {
  describe(name, () => {
    for (const { title, run, isDurable: needsDurable } of ENGINE_CASES) {
      if (needsDurable && !isDurable) continue;
      it(title, async () => {
        const place = await makePlace();
        try {
          await run(place, { toleranceMs });
        } finally {
          await place.remove?.();
        }
      });
    }
  });
}
