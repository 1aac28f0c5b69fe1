import { BuddyError } from '../errors.ts';

/** Numbers for which a statistic is not defined: none at all, one that is not finite, a probability outside 0..1. */
export class StatisticsInputError extends BuddyError {
  readonly code = 'CORE_STATISTICS_INPUT';
}
