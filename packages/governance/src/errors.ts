import { BuddyError } from '@buddy/core';

/** The log could not be written; nothing of the group was kept, and what waited for it was not done. */
export class LedgerWriteError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_WRITE_FAILED';
}

/** The database is closed. */
export class LedgerClosedError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_CLOSED';
}
