import { BuddyError } from '@buddy/core';

/** The journal cannot be used: another process has it, its file is not one, or the place is not fit for one. */
export class JournalOpenError extends BuddyError {
  readonly code = 'AGENTS_JOURNAL_OPEN';
}

/** A newer version of the package wrote the journal. */
export class JournalVersionError extends BuddyError {
  readonly code = 'AGENTS_JOURNAL_VERSION';
}

/** What was asked for could not be kept, as on a full disk, and so was not done. It may be asked again. */
export class JournalWriteError extends BuddyError {
  readonly code = 'AGENTS_JOURNAL_WRITE';
}

/** What the journal should hold cannot be read: its file was damaged, or changed by hand. */
export class JournalReadError extends BuddyError {
  readonly code = 'AGENTS_JOURNAL_READ';
}
