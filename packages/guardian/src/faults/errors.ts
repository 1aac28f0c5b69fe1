import { BuddyError } from '@buddy/core';

/** Faults are not asked for here: nothing was injected. */
export class FaultsForbiddenError extends BuddyError {
  readonly code = 'GUARDIAN_FAULTS_FORBIDDEN';
}

/** This machine, or this user on it, cannot have the fault; the message says why. Nothing was injected. */
export class FaultUnavailableError extends BuddyError {
  readonly code = 'GUARDIAN_FAULT_UNAVAILABLE';
  readonly kind: string;
  readonly reason: string;

  constructor(kind: string, reason: string) {
    super(`The fault ${kind} cannot be injected here: ${reason}`);
    this.kind = kind;
    this.reason = reason;
  }
}

/** The fault was there before it was injected, or did not show after: what a test would see then says nothing. */
export class FaultWitnessError extends BuddyError {
  readonly code = 'GUARDIAN_FAULT_WITNESS';
}

/** A fault wanted more than its cap allows; it was taken back. */
export class FaultCapError extends BuddyError {
  readonly code = 'GUARDIAN_FAULT_CAP';
}

/** A fault could not be taken back. It stays in the journal: ask again, or `recoverFaults`. */
export class FaultLeftBehindError extends BuddyError {
  readonly code = 'GUARDIAN_FAULT_LEFT_BEHIND';
}
