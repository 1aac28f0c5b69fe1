import type { Books } from './books.ts';

/** Hands facts to listeners, whichever process told them, in the order in which they were kept. */
export class FactPump {
  readonly #books: Books;
  readonly #listeners = new Set<(fact: object, at: number) => void>();
  /** Those that tell a fact here, and go on when it has been heard. */
  readonly #tellers = new Map<number, PromiseWithResolvers<void>>();
  readonly #onBroken: (error: unknown) => void;
  #heard = 0;
  #ready = Promise.resolve();
  #isPumping = false;
  #isAskedAgain = false;

  constructor(books: Books, onBroken: (error: unknown) => void) {
    this.#books = books;
    this.#onBroken = onBroken;
  }

  /** What was told before is not told again. */
  subscribe(listener: (fact: object, at: number) => void): () => void {
    if (this.#listeners.size === 0) this.#ready = this.#skip();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when whatever is told from now on reaches the listeners. */
  ready(): Promise<void> {
    return this.#ready;
  }

  async #skip(): Promise<void> {
    this.#heard = await this.#books.latest();
  }

  /** Resolves when all listeners here have heard the fact of this number; rejects with what one of them threw. */
  async heard(seq: number): Promise<void> {
    if (this.#listeners.size === 0 || seq <= this.#heard) return;
    const teller = this.#tellers.get(seq) ?? Promise.withResolvers<void>();
    this.#tellers.set(seq, teller);
    this.pump();
    await teller.promise;
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
      await this.#ready;
      this.#isAskedAgain = false;
      const latest = await this.#books.latest();
      for (;;) {
        const entries = await this.#books.entries(this.#heard, latest);
        if (entries.length === 0) break;
        for (const { seq, at, kind, value } of entries) {
          if (kind === 'told') this.#tellAll(seq, value, at);
          this.#heard = seq;
        }
      }
    }
    this.#isPumping = false;
  }

  #tellAll(seq: number, value: unknown, at: number): void {
    const teller = this.#tellers.get(seq);
    this.#tellers.delete(seq);
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- facts are objects; that is all `emit` takes
      for (const listener of this.#listeners) listener(value as object, at);
      teller?.resolve();
    } catch (error) {
      if (teller) teller.reject(error);
      else this.#onBroken(error); // it was told elsewhere: nobody here can fail for it
    }
  }
}
