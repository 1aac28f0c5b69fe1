/**
 * Where a run writes. Paths are relative, with `/`, such as `phase21/wave_1/plan.json`; a path is either written whole or
 * appended to, never both.
 */
export interface Output {
  /**
   * Adds one record to a JSON Lines file. May be buffered until `flush`.
   * @throws {OutputMisuseError} When the path is no good, was written whole, or the output is closed.
   * @throws {OutputFailedError} When something appended earlier could not be written.
   */
  append(path: string, record: object): void;
  /**
   * Whether so much was appended since the last `flush` that one should be awaited before more is. It follows from what
   * was appended, not from how fast the disk is, so that a run with a manual clock waits at the same places every time.
   * @example
   * output.append(path, record);
   * if (output.isCongested) await output.flush();
   */
  readonly isCongested: boolean;
  /** Replaces a whole file, at once or not at all. Rejects with `OutputFailedError` when it cannot. */
  write(path: string, text: string): Promise<void>;
  /**
   * Resolves when all that was appended would survive the end of this process. Rejects with `OutputFailedError` when
   * something could not be written, now or earlier.
   */
  flush(): Promise<void>;
  /** Flushes, and takes nothing more. Rejects as `flush` does; a second call does nothing more. */
  close(): Promise<void>;
}
