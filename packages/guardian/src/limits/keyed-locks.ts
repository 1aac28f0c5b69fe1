/** Locks by name, handed out in the order in which they were asked for. Several are always taken in one order. */
export class KeyedLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves with what gives the locks back; waits for as long as others hold any of them. */
  async take(names: readonly string[]): Promise<() => void> {
    const releases: (() => void)[] = [];
    for (const name of [...new Set(names)].toSorted()) releases.push(await this.#takeOne(name));
    return () => {
      for (const release of releases.toReversed()) release();
    };
  }

  isHeld(name: string): boolean {
    return this.#tails.has(name);
  }

  async #takeOne(name: string): Promise<() => void> {
    const before = this.#tails.get(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tails.set(name, promise);
    await before;
    return () => {
      if (this.#tails.get(name) === promise) this.#tails.delete(name);
      resolve();
    };
  }
}

/** So many at once; the others wait, causes before dependants. */
export class Slots {
  #free: number;
  readonly #waiting: { isCause: boolean; enter: () => void }[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  get areTaken(): boolean {
    return this.#free === 0;
  }

  async take(isCause: boolean): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((enter) => this.#waiting.push({ isCause, enter }));
    return () => {
      const cause = this.#waiting.findIndex((waiting) => waiting.isCause);
      const [next] = this.#waiting.splice(Math.max(cause, 0), 1);
      if (next) next.enter();
      else this.#free += 1;
    };
  }
}
