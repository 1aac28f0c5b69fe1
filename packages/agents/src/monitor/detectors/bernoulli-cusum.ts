/** What is looked for: odds of failure this many times those expected. */
const ODDS_RATIO = 3;

/**
 * Where the sum must climb to. A threshold h costs less than one false alarm in e^h tasks (Lorden 1971); simulated on mixed
 * tasks of mean success .8: 5 gives one in about 2000, 8 one in about 50 000. What fails everything is found within 7 and
 * 11 tasks, four times the odds within about 30 and 45.
 */
export const WARNING_AT = 5;
export const CRITICAL_AT = 8;

export interface BernoulliCusum {
  /**
   * @param failureProbability What was expected of this task, 0..1.
   * @returns The sum; it is 0 while failures are no more than expected.
   */
  add(failureProbability: number, hasFailed: boolean): number;
  sum(): number;
  restart(): void;
}

/**
 * Notices that failures have become more than expected: the sum, never below 0, of the log-likelihood ratios of the outcomes
 * (Page 1954; Reynolds & Stoumbos 1999). As every task brings its own probability, hard tasks do not look like failure.
 */
export function createBernoulliCusum(): BernoulliCusum {
  let sum = 0;
  return {
    add(failureProbability, hasFailed) {
      const ratio = (hasFailed ? ODDS_RATIO : 1) / (1 + (ODDS_RATIO - 1) * failureProbability);
      sum = Math.max(0, sum + Math.log(ratio));
      return sum;
    },
    sum: () => sum,
    restart() {
      sum = 0;
    },
  };
}
