import { BuddyError } from '@buddy/core';

/** The log could not be written; nothing of the group was kept, and what waited for it was not done. */
export class LedgerWriteError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_WRITE_FAILED';
}

/** The database is closed. */
export class LedgerClosedError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_CLOSED';
}

/** The log cannot be written, so a call of tier 2 or 3 was not made. Nothing was done; it may be tried again. */
export class GovernanceUnavailableError extends BuddyError {
  readonly code = 'GOVERNANCE_UNAVAILABLE';
}

/** A call does not say who acts, on what or why in a form that can be decided on and written down. Nothing was done. */
export class InvalidCallError extends BuddyError {
  readonly code = 'GOVERNANCE_CALL_INVALID';

  constructor(action: string, problem: string) {
    super(`${action} is not done: ${problem}.`);
  }
}

/** No policy could be loaded, so nothing could be allowed; the gate does not open. */
export class PolicyNotLoadedError extends BuddyError {
  readonly code = 'GOVERNANCE_POLICY_NOT_LOADED';
  /** Each with its file, line and column, and what to do. */
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(`The policy in ${source} does not load:\n${problems.join('\n')}`);
    this.problems = problems;
  }
}

/** Tools that no gate stands in front of. */
export class UngovernedToolsError extends BuddyError {
  readonly code = 'GOVERNANCE_UNGOVERNED_TOOLS';
  readonly tools: readonly string[];

  constructor(tools: readonly string[]) {
    super(
      `No gate stands in front of ${tools.join(', ')}; pass them through governance.govern(…).`,
    );
    this.tools = tools;
  }
}

/** What was handed to `govern` has a shape that no adapter knows. */
export class NotGovernableError extends BuddyError {
  readonly code = 'GOVERNANCE_NOT_GOVERNABLE';
}

/** The database has a shape that this version of the package does not know. */
export class LedgerVersionError extends BuddyError {
  readonly code = 'GOVERNANCE_LEDGER_VERSION';
}
