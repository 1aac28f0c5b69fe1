/** Where the time comes from. Everything that waits or stamps takes one. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. For durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds (at once for 0 or less); rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Does work that takes real time: a file, a socket, a process. A clock of its own making must not move past it, and so
   * has to be told; the real clock just calls `work`.
   */
  external<T>(work: () => Promise<T>): Promise<T>;
}
