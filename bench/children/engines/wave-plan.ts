/** So many waves, one after the other, each so many tasks wide. A task is a call that does nothing and answers null. */
export interface WavePlan {
  waves: number;
  width: number;
}

/** No more tasks than this are under way at once, where an engine can be told so. */
export const SLOTS = 50;

/** Where an engine keeps what it must not lose. */
export interface EnginePlace {
  /** Empty, and its own. */
  folder: string;
  /** Of an empty or used Postgres database of its own; empty where there is none. */
  databaseUrl: string;
  /** Zero where there is no Redis. */
  redisPort: number;
}

/** Something that runs waves of tasks and remembers them. */
export interface WaveEngine {
  /** Resolves when every task has ended; `id` was not used before. */
  run(id: string, plan: WavePlan): Promise<void>;
  close(): Promise<void>;
}

/** Counts the calls that were made, and tells when there were enough. */
export class Calls {
  count = 0;
  #awaited: { count: number; resolve: () => void } | undefined;

  readonly call = async (): Promise<null> => {
    this.count += 1;
    if (this.#awaited && this.count >= this.#awaited.count) this.#awaited.resolve();
    return null;
  };

  /** For engines that do not say when a wave is over; the last answers need not be kept by then, which is in their favour. */
  async reach(count: number): Promise<void> {
    if (this.count >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve };
    await promise;
    this.#awaited = undefined;
  }
}
