import { BuddyError } from '@buddy/core';

/** A checkpoint, a key or a proof is not written as its format asks, or is not signed by the key it should be. */
export class AuditProofError extends BuddyError {
  readonly code = 'GOVERNANCE_AUDIT_PROOF_INVALID';
}

/** What was asked for is not in the log: an entry, or a checkpoint that covers it. */
export class AuditNotFoundError extends BuddyError {
  readonly code = 'GOVERNANCE_AUDIT_NOT_FOUND';
}

/** An outcome for an intent that is not open: there is none, or it has an outcome. */
export class IntentNotOpenError extends BuddyError {
  readonly code = 'GOVERNANCE_INTENT_NOT_OPEN';
  readonly intentSeq: number;

  constructor(intentSeq: number) {
    super(`Entry ${intentSeq} is no intent that waits for its outcome; an intent has exactly one.`);
    this.intentSeq = intentSeq;
  }
}
