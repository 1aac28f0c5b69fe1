import TinyQueue from 'tinyqueue';
import { z } from 'zod';
import { parseOrThrow } from '../parse.ts';
import type { Clock } from './clock.ts';

// Taken before a test framework can replace it.
const { setImmediate } = globalThis;

/** Midnight of the first of January 2026, UTC. */
const DEFAULT_START = Date.UTC(2026, 0, 1);

const Duration = z.number().nonnegative();

interface Sleeper {
  dueAt: number;
  /** Sleepers due at the same moment wake in the order in which they fell asleep. */
  order: number;
  wake: (() => void) | undefined; // undefined: aborted
}

/**
 * A clock that moves only when it is told to, for tests and for runs in which waiting should cost nothing.
 *
 * Time is a function of what was slept, so two runs of the same work see the same times, however the host schedules them:
 * sleepers wake one by one, each only when everybody woken before has come to rest, and the results of `external` work
 * are handed out when all of it is done, in the order in which it was started. Work that takes real time and is not
 * wrapped in `external` is not seen: time may move past it.
 * @example
 * const clock = new ManualClock();
 * const woken = clock.sleep(60_000);
 * await clock.advance(60_000);
 * await woken;
 */
export class ManualClock implements Clock {
  readonly #startedAt: number;
  #now: number;
  #order = 0;
  readonly #sleepers = new TinyQueue<Sleeper>([], (a, b) => a.dueAt - b.dueAt || a.order - b.order);
  #externalInFlight = 0;
  #externalResults: { order: number; deliver: () => void }[] = [];
  #atRest: Promise<void> | undefined;
  #changed: PromiseWithResolvers<void> | undefined;

  /** @param startAt The time at first, in ms since the Unix epoch; 2026-01-01T00:00:00Z when left out. */
  constructor(startAt = DEFAULT_START) {
    this.#startedAt = startAt;
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#startedAt;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(ms > 0)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const abort = () => {
        sleeper.wake = undefined;
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        dueAt: this.#now + ms,
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
      this.#reportChange();
    });
  }

  external<T>(work: () => Promise<T>): Promise<T> {
    const order = this.#order++;
    this.#externalInFlight += 1;
    return new Promise((resolve, reject) => {
      const settle = (deliver: () => void) => {
        this.#externalResults.push({ order, deliver });
        this.#externalInFlight -= 1;
        if (this.#externalInFlight === 0) this.#handOutResults();
        this.#reportChange();
      };
      // An async function, so that `work` that throws at once is a rejection too.
      (async () => work())().then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }

  /**
   * Moves time on by `ms`, waking every sleeper that falls due on the way.
   * @throws {InvalidInputError} When `ms` is no finite number of 0 or more.
   */
  async advance(ms: number): Promise<void> {
    const target =
      this.#now + parseOrThrow(Duration, ms, 'milliseconds for advance of a ManualClock');
    await this.#rest();
    for (let next = this.#next(); next && next.dueAt <= target; next = this.#next()) {
      this.#wakeNext();
      await this.#rest();
    }
    this.#now = Math.max(this.#now, target);
  }

  /**
   * Does `work` and moves time on whenever everybody in it sleeps, so that it takes no longer than its computing.
   * @returns What `work` returns; rejects as it rejects.
   * @example
   * const clock = new ManualClock();
   * await clock.run(() => clock.sleep(86_400_000)); // a day, at once
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const result = (async () => work())().finally(() => {
      isDone = true;
      this.#reportChange();
    });
    result.catch(() => undefined); // it is awaited below, maybe later than it rejects
    for (;;) {
      await this.#rest();
      if (isDone) return result;
      if (this.#next()) this.#wakeNext();
      else await this.#change();
    }
  }

  /** Resolves once everybody awake has come to rest and no external work is in flight. */
  async #rest(): Promise<void> {
    await macrotask();
    while (this.#externalInFlight > 0 || this.#atRest) await (this.#atRest ?? this.#change());
  }

  #change(): Promise<void> {
    this.#changed ??= Promise.withResolvers<void>();
    return this.#changed.promise;
  }

  #reportChange(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  #handOutResults(): void {
    this.#atRest ??= (async () => {
      await macrotask();
      while (this.#externalInFlight === 0 && this.#externalResults.length > 0) {
        const batch = this.#externalResults.toSorted((a, b) => a.order - b.order);
        this.#externalResults = [];
        for (const { deliver } of batch) {
          deliver();
          await macrotask();
        }
      }
      this.#atRest = undefined;
      this.#reportChange();
    })();
  }

  /** The sleeper to wake next, the aborted ones dropped. */
  #next(): Sleeper | undefined {
    while (this.#sleepers.length > 0 && !this.#sleepers.peek()?.wake) this.#sleepers.pop();
    return this.#sleepers.peek();
  }

  #wakeNext(): void {
    const sleeper = this.#sleepers.pop();
    if (!sleeper) return;
    this.#now = Math.max(this.#now, sleeper.dueAt);
    sleeper.wake?.();
  }
}

/** Resolves when every microtask and `nextTick` that is due has run. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
