import type { RunResult } from './result.ts';
import type { RunEvent, Tell } from './run-events.ts';

/** Runs; told to stop by the signal, and tells of each event while it happens. */
export type StartRun<Value> = (signal: AbortSignal, tell: Tell) => Promise<RunResult<Value>>;

type EndOfRun = Extract<RunEvent, { type: 'runEnded' }>;

/**
 * The events of one run, which begins when the first is asked for. For one reader.
 *
 * A slow reader does not hold the run up: what it has not read yet waits here. That is never more than the run's limits of
 * lines, calls and violations, and of the same objects that its result holds in any case.
 */
export class RunStream<Value> implements AsyncIterableIterator<RunEvent<Value>, void, undefined> {
  readonly #start: StartRun<Value>;
  readonly #left = new AbortController();
  readonly #unread: RunEvent<Value>[] = [];
  readonly #readers: PromiseWithResolvers<IteratorResult<RunEvent<Value>, void>>[] = [];
  #running: Promise<void> | undefined;
  #failure: { reason: unknown } | undefined;
  #isOver = false;

  constructor(start: StartRun<Value>) {
    this.#start = start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Rejects where `run` would. */
  next(): Promise<IteratorResult<RunEvent<Value>, void>> {
    const reader = Promise.withResolvers<IteratorResult<RunEvent<Value>, void>>();
    this.#readers.push(reader);
    if (!this.#left.signal.aborted) this.#running ??= this.#run();
    this.#serve();
    return reader.promise;
  }

  /** Ends the run by abort, as `break` out of a loop does; resolves when it has ended. */
  async return(): Promise<IteratorReturnResult<void>> {
    this.#left.abort(new DOMException('Nobody reads this run any more', 'AbortError'));
    this.#unread.length = 0;
    this.#failure = undefined;
    this.#isOver = true;
    this.#serve();
    await this.#running;
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #run(): Promise<void> {
    let last: EndOfRun | undefined;
    try {
      const result = await this.#start(this.#left.signal, (event) => {
        if (event.type === 'runEnded') last = event;
        else this.#push(event);
      });
      if (last) this.#push({ ...last, result });
    } catch (reason) {
      if (!this.#left.signal.aborted) this.#failure = { reason };
    }
    this.#isOver = true;
    this.#serve();
  }

  #push(event: RunEvent<Value>): void {
    if (this.#left.signal.aborted) return;
    this.#unread.push(event);
    this.#serve();
  }

  #serve(): void {
    for (let reader = this.#readers[0]; reader; reader = this.#readers[0]) {
      const event = this.#unread.shift();
      if (event) reader.resolve({ done: false, value: event });
      else if (this.#failure) reader.reject(this.#failure.reason);
      else if (this.#isOver) reader.resolve({ done: true, value: undefined });
      else return;
      this.#readers.shift();
      if (!event) this.#failure = undefined; // told once
    }
  }
}
