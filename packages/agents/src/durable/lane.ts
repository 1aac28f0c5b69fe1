/** A lane lets a fixed number through at once; the rest wait in line. */
export class Lane {
  readonly #concurrency: number;
  readonly #line = new Set<() => void>();
  #inside = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Whether there was room; if not, `wait` for it. */
  tryEnter(): boolean {
    if (this.#inside >= this.#concurrency) return false;
    this.#inside += 1;
    return true;
  }

  /** @returns What to call to leave the line; `onEntered` is called when a place has been handed over. */
  wait(onEntered: () => void): () => void {
    this.#line.add(onEntered);
    return () => this.#line.delete(onEntered);
  }

  leave(): void {
    const [next] = this.#line;
    if (!next) {
      this.#inside -= 1;
      return;
    }
    this.#line.delete(next);
    next();
  }
}
