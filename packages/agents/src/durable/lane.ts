/**
 * A lane lets a fixed number of calls through at once; the rest wait in line. A call need not wait until it is kept what came
 * of the one before, but no call begins while that of as many as the lane is wide is not: a process that is killed has to
 * make them again.
 */
export class Lane {
  readonly #concurrency: number;
  readonly #line = new Set<() => void>();
  #calling = 0;
  #keeping = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Whether there was room; if not, `wait` for it. */
  tryEnter(): boolean {
    if (!this.#hasRoom) return false;
    this.#calling += 1;
    return true;
  }

  /** @returns What to call to leave the line; `onEntered` is called when a place has been handed over. */
  wait(onEntered: () => void): () => void {
    this.#line.add(onEntered);
    return () => this.#line.delete(onEntered);
  }

  /** The call is over, and there is nothing to keep. */
  leave(): void {
    this.#calling -= 1;
    this.#letIn();
  }

  /** The call is over; `kept` follows. */
  called(): void {
    this.#keeping += 1;
    this.leave();
  }

  kept(): void {
    this.#keeping -= 1;
    this.#letIn();
  }

  get #hasRoom(): boolean {
    return this.#calling < this.#concurrency && this.#keeping < this.#concurrency;
  }

  #letIn(): void {
    for (const next of this.#line) {
      if (!this.tryEnter()) return;
      this.#line.delete(next);
      next();
    }
  }
}
