/** What was taken; `hasWaited` says that others had it in between. */
export interface Taken {
  release: () => void;
  hasWaited: boolean;
}

/** Locks by name, handed out in the order in which they were asked for. Several are always taken in one order. */
export class KeyedLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Waits for as long as others hold any of them. */
  async take(names: readonly string[]): Promise<Taken> {
    const releases: (() => void)[] = [];
    let hasWaited = false;
    for (const name of [...new Set(names)].toSorted()) {
      hasWaited ||= this.#tails.has(name);
      releases.push(await this.#takeOne(name));
    }
    const release = () => {
      for (const each of releases.toReversed()) each();
    };
    return { release, hasWaited };
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

  async take(isCause: boolean): Promise<Taken> {
    const hasWaited = this.#free === 0;
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((enter) => this.#waiting.push({ isCause, enter }));
    const release = () => {
      const cause = this.#waiting.findIndex((waiting) => waiting.isCause);
      const [next] = this.#waiting.splice(Math.max(cause, 0), 1);
      if (next) next.enter();
      else this.#free += 1;
    };
    return { release, hasWaited };
  }
}
