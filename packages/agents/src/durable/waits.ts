import type { Clock } from '@buddy/core';
import type { Interruptible } from './activity.ts';
import type { Inbox, Signal } from './inbox.ts';
import { forever, Timers } from './timers.ts';
import { restOf, type StoredWorkflow, type WorkflowStore } from './workflow-store.ts';

/** What ends a wait for a signal. */
type Came = Signal | 'timed_out' | 'cancelled';

interface WaitsHost {
  readonly clock: Clock;
  readonly store: WorkflowStore | undefined;
  readonly isClosed: boolean;
}

/** What a wait needs of the workflow that waits. */
export interface Waiter {
  readonly id: string;
  /** Null as long as nobody has cancelled it. */
  readonly cancelReason: string | null;
  /** What to call when it is cancelled, for whatever it has in flight. */
  readonly interrupts: Set<Interruptible>;
  /** The wait that begins is all there is: nothing is in flight that would be lost outside the memory. */
  readonly mayLeave: boolean;
  /** Leaves the memory until it is signalled or the time has passed. */
  leave(afterMs: number): void;
  /** Takes it into memory again. @returns Not so when another instance of the workflow goes on instead. */
  takeBack(): boolean;
}

/** The waits of one workflow: for time to pass, or for a signal; the latter in memory or outside. */
export class Waits {
  /** Brings the workflow back into memory, from which a wait has taken it; undefined while it is there. */
  comeBack: (() => Promise<void>) | undefined;
  readonly #host: WaitsHost;
  readonly #waiter: Waiter;
  readonly #inbox: Inbox;
  readonly #timers: Timers;
  /** Those that an instance before this one began. */
  readonly #begun: StoredWorkflow['timed'] | undefined;
  readonly #isDue: boolean;

  constructor(
    host: WaitsHost,
    waiter: Waiter,
    inbox: Inbox,
    past: { stored: StoredWorkflow; isDue: boolean } | undefined,
  ) {
    this.#host = host;
    this.#waiter = waiter;
    this.#inbox = inbox;
    this.#timers = new Timers(host);
    this.#begun = past?.stored.timed;
    this.#isDue = past?.isDue ?? false;
  }

  async sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    const { cancelReason, interrupts } = this.#waiter;
    if (cancelReason !== null) return 'cancelled';
    const timer = this.#timers.start(this.#restOf(key, ms));
    const interrupt = { interrupt: () => timer.stop() };
    interrupts.add(interrupt);
    try {
      return (await timer.isOver) ? 'slept' : 'cancelled';
    } finally {
      interrupts.delete(interrupt);
    }
  }

  /** A signal that comes after the wait has ended, in whatever way, is kept for the next one. */
  async receive(topic: string, key: string, timeoutMs: number): Promise<Came> {
    const early = this.#takeEarly(topic);
    if (early) return early;
    const { mayLeave } = this.#waiter;
    const restMs = this.#restOf(key, timeoutMs, mayLeave);
    if (mayLeave && restMs > 0) return this.#waitOutside(topic, key, restMs);
    return this.#waitHere(topic, restMs);
  }

  /** What ends a wait before it begins. */
  #takeEarly(topic: string): Came | undefined {
    const early = this.#inbox.take(topic);
    if (early) return early;
    return this.#waiter.cancelReason === null ? undefined : 'cancelled';
  }

  /** Lets go of timers; whatever waits for them waits for ever. */
  dropTimers(): void {
    this.#timers.drop();
  }

  /**
   * Leaves the memory: whatever comes for it, comes for another instance. Unless a branch beside the wait, which could not be
   * seen when the wait began, does something after all: then nothing has happened.
   */
  #waitOutside(topic: string, key: string, restMs: number): Promise<Came> {
    const { store, clock } = this.#host;
    const { id } = this.#waiter;
    const { promise, resolve, reject } = Promise.withResolvers<Came>();
    const leftAt = clock.monotonic();
    const leftMs = () => Math.max(0, restMs - (clock.monotonic() - leftAt));
    const comeBack = async () => {
      if (!this.#waiter.takeBack()) return forever();
      const delayMs = leftMs();
      const wait = { key, dueAt: clock.now() + delayMs, delayMs, isParked: false };
      // Before anything else is begun: a crash must not leave that to a workflow that is thought to be parked.
      await store?.keep({ kind: 'timed', id, ...wait });
      this.comeBack = undefined;
      const early = this.#takeEarly(topic); // it may have come while that was kept
      if (early) resolve(early);
      else this.#waitHere(topic, leftMs()).then(resolve, reject);
    };
    let coming: Promise<void> | undefined;
    this.comeBack = () => (coming ??= comeBack());
    this.#waiter.leave(restMs);
    return promise;
  }

  #waitHere(topic: string, restMs: number): Promise<Came> {
    const { interrupts } = this.#waiter;
    const { promise, resolve, reject } = Promise.withResolvers<Came>();
    const timer = this.#timers.start(restMs);
    const finish = (received: Came) => {
      interrupts.delete(interrupt);
      this.#inbox.stopHandingOver(topic);
      timer.stop();
      resolve(received);
    };
    const interrupt = { interrupt: () => finish('cancelled') };
    interrupts.add(interrupt);
    this.#inbox.onReceived(topic, finish);
    const timeOut = async () => {
      if (await timer.isOver) finish('timed_out');
    };
    timeOut().catch(reject);
    return promise;
  }

  /** How long a wait of `ms` still takes. */
  #restOf(key: string, ms: number, isParked = false): number {
    const { clock, store } = this.#host;
    const begun = this.#begun?.get(key);
    if (begun && this.#isDue) return 0;
    if (begun) return restOf(begun, clock.now());
    const dueAt = clock.now() + ms;
    const { id } = this.#waiter;
    // Nobody waits for it: when it is lost, so is all that comes after, and the wait begins anew.
    void store?.keep({ kind: 'timed', id, key, dueAt, delayMs: ms, isParked });
    return ms;
  }
}
