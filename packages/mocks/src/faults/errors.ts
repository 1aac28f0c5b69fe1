import { BuddyError } from '@buddy/core';

/** The fault rules cannot all hold, or name an operation that does not exist. */
export class FaultRulesError extends BuddyError {
  readonly code = 'MOCKS_FAULT_RULES_INVALID';
}
