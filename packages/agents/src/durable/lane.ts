/** A lane lets a fixed number through at once; the rest wait in line. */
export class Lane {
  readonly #concurrency: number;
  readonly #line: (() => void)[] = [];
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

  /** Resolves when a place has been handed over. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#line.push(resolve));
  }

  leave(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#inside -= 1;
  }
}
