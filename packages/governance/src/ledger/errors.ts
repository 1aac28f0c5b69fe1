import { BuddyError } from '@buddy/core';

/** What was asked of the ledger cannot be, whoever asks: asynchronous work, an entry after the work's end. A bug. */
export class LedgerMisuseError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_MISUSED';
}

/** The key file cannot be used: others may read it, it is missing or damaged, or it is another log's. */
export class LedgerKeyError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_KEY';
}

/** The log is not the one that its last checkpoint was signed for. Keep the files as they are, and find out why. */
export class LedgerInconsistentError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_INCONSISTENT';
}

/** The file cannot be opened as a database: its folder is missing, it may not be written, it is something else. */
export class LedgerOpenError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_OPEN_FAILED';
}
