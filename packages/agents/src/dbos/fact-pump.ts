import type { Books } from './books.ts';

/** Hands facts to listeners, whichever process told them, in the order in which they were kept. */
export class FactPump {
  readonly #books: Books;
  readonly #listeners = new Set<(fact: object, at: number) => void>();
  /** Facts that are being told here, by workflow and key; who tells one goes on when it has been heard. */
  readonly #tellers = new Map<string, PromiseWithResolvers<void>>();
  readonly #onBroken: (error: unknown) => void;
  /** Undefined while nobody listens, and until it is known what was told before. */
  #heard: number | undefined;
  #skipping: Promise<void> | undefined;
  #isPumping = false;
  #isAskedAgain = false;

  constructor(books: Books, onBroken: (error: unknown) => void) {
    this.#books = books;
    this.#onBroken = onBroken;
  }

  /** What was told before is not told again. */
  subscribe(listener: (fact: object, at: number) => void): () => void {
    if (this.#listeners.size === 0) this.#heard = undefined;
    this.#listeners.add(listener);
    this.ready().catch(this.#onBroken);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when whatever is told from now on reaches the listeners. */
  async ready(): Promise<void> {
    if (this.#listeners.size === 0 || this.#heard !== undefined) return;
    this.#skipping ??= this.#books
      .latest()
      .then((latest) => void (this.#heard ??= latest))
      .finally(() => (this.#skipping = undefined));
    await this.#skipping;
  }

  /**
   * Keeps a fact by `keep`, which says its number. Resolves when all listeners here have heard it.
   * @throws {ListenerError} When one of them threw.
   */
  async tell(workflowId: string, key: string, keep: () => Promise<number>): Promise<void> {
    if (this.#listeners.size === 0) return void (await keep());
    await this.ready();
    // Before it is kept: a notification may be faster than the answer.
    const name = nameOf(workflowId, key);
    const teller = Promise.withResolvers<void>();
    teller.promise.catch(() => undefined); // whoever waits for it below hears of it
    this.#tellers.set(name, teller);
    try {
      const seq = await keep();
      if (seq > (this.#heard ?? 0)) this.pump();
      else teller.resolve(); // long ago, or a moment ago; then it is settled already
      await teller.promise;
    } finally {
      if (this.#tellers.get(name) === teller) this.#tellers.delete(name);
    }
  }

  /** Looks for what is new. */
  pump(): void {
    if (this.#listeners.size === 0) return;
    this.#isAskedAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pumpAll().catch((error: unknown) => {
      this.#isPumping = false;
      this.#onBroken(error);
      for (const teller of this.#tellers.values()) teller.reject(error);
      this.#tellers.clear();
    });
  }

  async #pumpAll(): Promise<void> {
    while (this.#isAskedAgain) {
      await this.ready();
      this.#isAskedAgain = false;
      const latest = await this.#books.latest();
      while ((this.#heard ?? latest) < latest) {
        const entries = await this.#books.entries(this.#heard ?? latest, latest);
        if (entries.length === 0) break; // they were compacted meanwhile
        for (const { seq, at, kind, workflowId, key, value } of entries) {
          if (kind === 'told') this.#tellAll(nameOf(workflowId, key), value, at);
          this.#heard = seq;
        }
      }
    }
    this.#isPumping = false;
  }

  #tellAll(name: string, value: unknown, at: number): void {
    const teller = this.#tellers.get(name);
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- facts are objects; that is all `emit` takes
      for (const listener of this.#listeners) listener(value as object, at);
      teller?.resolve();
    } catch (error) {
      if (teller) teller.reject(new ListenerError(error));
      else this.#onBroken(error); // it was told elsewhere: nobody here can fail for it
    }
  }
}

/** A listener's own failure, as `cause`: of the workflow that told the fact, and not of what is beneath it. */
export class ListenerError extends Error {
  constructor(cause: unknown) {
    super('A listener failed', { cause });
    this.name = new.target.name;
  }
}

function nameOf(workflowId: string, key: string): string {
  return JSON.stringify([workflowId, key]);
}
