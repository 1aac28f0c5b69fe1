/** Where the tokens of runs are kept that wait for a person, by the idempotency key of the call that ran the program. */
export interface PausedRuns {
  get(key: string): Promise<string | undefined>;
  set(key: string, token: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Forgets all when the process ends. */
export class MemoryPausedRuns implements PausedRuns {
  readonly #tokens = new Map<string, string>();

  async get(key: string): Promise<string | undefined> {
    return this.#tokens.get(key);
  }

  async set(key: string, token: string): Promise<void> {
    this.#tokens.set(key, token);
  }

  async delete(key: string): Promise<void> {
    this.#tokens.delete(key);
  }
}
