import { BuddyError } from '@buddy/core';

/** The calls were not those that were expected; the message tells what was and shows the nearest. */
export class JournalExpectationError extends BuddyError {
  readonly code = 'MOCKS_EXPECTATION_FAILED';
}
