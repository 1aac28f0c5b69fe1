/** Lets so many in at a time; the others wait in line. */
export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Rejects with the signal's reason, as soon as it aborts. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const admit = (): void => {
      signal.removeEventListener('abort', leaveLine);
      turn.resolve();
    };
    const leaveLine = (): void => {
      this.#line.splice(this.#line.indexOf(admit), 1);
      turn.reject(signal.reason);
    };
    this.#line.push(admit);
    signal.addEventListener('abort', leaveLine, { once: true });
    await turn.promise;
  }

  leave(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#free += 1;
  }
}
