/** The last argument of every client method. */
export interface CallOptions {
  /** Stops the waiting: the call rejects with `signal.reason`. What was under way may have happened. */
  signal?: AbortSignal | undefined;
  /**
   * Names the piece of work in the journal. None of the three providers honours such a key, so a repeated write is done
   * twice: look before repeating.
   */
  idempotencyKey?: string | undefined;
}

/** The answer of `testConnection`; a connection that does not work rejects instead. */
export interface ConnectionTest {
  /** Whose data the credentials reach: the location's name, the mailbox's address. */
  account: string;
}
