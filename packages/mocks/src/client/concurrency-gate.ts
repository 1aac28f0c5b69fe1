/** Lets so many through at a time; the others wait in the order in which they came. */
export interface ConcurrencyGate {
  /** Does `work` when there is room. Rejects with `signal.reason` when aborted while it waits. */
  pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createConcurrencyGate(limit: number): ConcurrencyGate {
  let inside = 0;
  const waiting = new Set<() => void>();

  const enter = async (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted();
    if (inside < limit) {
      inside += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        waiting.delete(admit);
        reject(signal?.reason);
      };
      const admit = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      waiting.add(admit);
    });
  };

  /** Whoever leaves hands the place on, so that nobody new can slip in between. */
  const leave = () => {
    for (const admit of waiting) {
      waiting.delete(admit);
      admit();
      return;
    }
    inside -= 1;
  };

  return {
    pass: async (work, signal) => {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
