import type { AuditEntry, AuditEntryBody } from './entry.ts';

/** The audit log, as a group commit knows it. What it holds in memory follows the database, back as well as forth. */
export interface EntryLog {
  /** At the start of a group: looks at how far the log has come, for another process may have added to it. */
  begin(): void;
  append(entry: AuditEntryBody, at: number): AuditEntry;
  /** Returns how to go back to where it stands now, for when the work that is about to be done fails. */
  mark(): () => void;
  /** The last thing before the commit. */
  seal(at: number): void;
  /** After the commit, or after it failed. */
  ended(isCommitted: boolean): void;
}
