import type { ActivityResult } from '../durable/durable-context.ts';
import type { Books } from './books.ts';

/** Calls that workflows of this process have asked for, and that are made wherever there is room. */
export class Answers {
  readonly #books: Books;
  readonly #onBroken: (error: unknown) => void;
  /** By workflow, then by the key of the call. */
  readonly #waiting = new Map<string, Map<string, Waiter>>();
  #isLooking = false;
  #isAskedAgain = false;

  constructor(books: Books, onBroken: (error: unknown) => void) {
    this.#books = books;
    this.#onBroken = onBroken;
  }

  /** To be asked for before the call is: what is answered in between is not missed. */
  expect(workflowId: string, key: string): Promise<ActivityResult<unknown>> {
    const calls = this.#waiting.get(workflowId) ?? new Map<string, Waiter>();
    this.#waiting.set(workflowId, calls);
    const waiter = calls.get(key) ?? Promise.withResolvers<ActivityResult<unknown>>();
    calls.set(key, waiter);
    return waiter.promise;
  }

  /** Hands an answer to whoever waits for it here. */
  give(workflowId: string, key: string, answer: ActivityResult<unknown>): void {
    const calls = this.#waiting.get(workflowId);
    calls?.get(key)?.resolve(answer);
    calls?.delete(key);
    if (calls?.size === 0) this.#waiting.delete(workflowId);
  }

  /** Another process has kept one. */
  hear(workflowId: string): void {
    if (this.#waiting.has(workflowId)) this.lookAgain();
  }

  /** Looks for all that are waited for: what was said of one may have been lost with a connection. */
  lookAgain(): void {
    this.#isAskedAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#look()
      .catch(this.#onBroken)
      .finally(() => (this.#isLooking = false));
  }

  async #look(): Promise<void> {
    while (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      const calls = [...this.#waiting].flatMap(([workflowId, keys]) =>
        [...keys.keys()].map((key) => ({ workflowId, key })),
      );
      for (let at = 0; at < calls.length; at += PAGE) {
        for (const { workflowId, key, value } of await this.#books.recall(
          calls.slice(at, at + PAGE),
        )) {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a call keeps
          this.give(workflowId, key, value as ActivityResult<unknown>);
        }
      }
    }
  }
}

type Waiter = PromiseWithResolvers<ActivityResult<unknown>>;

const PAGE = 500;
