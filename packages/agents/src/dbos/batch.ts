/** Does together what many ask for at about the same time: while one batch is under way, the next one gathers. */
export class Batch<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: Asked<Item, Result>[] = [];
  #isWorking = false;

  /** @param work Answers in the order of the items; may be asked again for single ones when it fails. */
  constructor(work: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#work = work;
  }

  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#isWorking) void this.#workOff();
    return promise;
  }

  async #workOff(): Promise<void> {
    this.#isWorking = true;
    await Promise.resolve(); // whoever asks in the same turn comes along
    while (this.#waiting.length > 0) {
      await this.#do(this.#waiting.splice(0, MOST_AT_ONCE));
    }
    this.#isWorking = false;
  }

  async #do(asked: readonly Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(asked.map(({ item }) => item));
      if (results.length !== asked.length) {
        throw new Error(`A batch of ${asked.length} had ${results.length} answers`);
      }
      for (const [nth, result] of results.entries()) asked[nth]?.resolve(result);
    } catch (error) {
      const [first, ...others] = asked;
      if (others.length === 0) return first?.reject(error);
      for (const one of asked) await this.#do([one]); // what is wrong with one is not the others' affair
    }
  }
}

interface Asked<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MOST_AT_ONCE = 64;
