import { BuddyError } from '@buddy/core';

/** The monitor was told of a wave that is not the running one, or of a second one before the first was closed. */
export class MonitorSequenceError extends BuddyError {
  readonly code = 'AGENTS_MONITOR_SEQUENCE';
}
