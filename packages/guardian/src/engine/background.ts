import { describeFailure } from '@buddy/core';
import { alert, type Parts } from './parts.ts';

/** Work that nobody waits for: it ends with the guardian, and an error in it is told. */
export class Background {
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Aborted when the guardian stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  run(work: Promise<void>): void {
    const working = work
      .catch((error: unknown) => {
        if (this.signal.aborted) return;
        alert(this.#parts, 'internal', describeFailure(error).message);
      })
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  abort(reason: Error): void {
    this.#stop.abort(reason);
  }

  /** Resolves when nothing runs any more, not even what was begun meanwhile. */
  async rest(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }
}
