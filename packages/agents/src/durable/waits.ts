import type { Clock } from '@buddy/core';
import type { Interruptible } from './activity.ts';
import type { Inbox, Signal } from './inbox.ts';
import { forever, Timers } from './timers.ts';
import { restOf, type StoredWorkflow, type WorkflowStore } from './workflow-store.ts';

/** What ends a wait for a signal. */
type Came = Signal | 'timed_out' | 'cancelled';

/** A wait that has taken its workflow out of memory. */
interface Outside {
  topic: string;
  key: string;
  restMs: number;
  /** On the monotonic clock. */
  leftAt: number;
  resolve: (came: Came | Promise<Came>) => void;
  reject: (error: unknown) => void;
  /** Once something has asked for it to come back. */
  coming: Promise<void> | undefined;
}

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
  readonly #host: WaitsHost;
  readonly #waiter: Waiter;
  readonly #inbox: Inbox;
  readonly #timers: Timers;
  /** Those that an instance before this one began. */
  readonly #begun: StoredWorkflow['timed'] | undefined;
  readonly #isDue: boolean;
  #outside: Outside | undefined;

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
   * seen when the wait began, does something after all: then nothing has happened. Thousands of these are waited for at once,
   * so no more is made for each than that takes.
   */
  #waitOutside(topic: string, key: string, restMs: number): Promise<Came> {
    const leftAt = this.#host.clock.monotonic();
    return new Promise((resolve, reject) => {
      this.#outside = { topic, key, restMs, leftAt, resolve, reject, coming: undefined };
      this.#waiter.leave(restMs);
    });
  }

  /** Brings the workflow back into memory, from which a wait has taken it. @returns Undefined when it is there. */
  comeBack(): Promise<void> | undefined {
    const outside = this.#outside;
    if (!outside) return undefined;
    outside.coming ??= this.#comeBackTo(outside);
    return outside.coming;
  }

  async #comeBackTo({ topic, key, restMs, leftAt, resolve, reject }: Outside): Promise<void> {
    const { store, clock } = this.#host;
    if (!this.#waiter.takeBack()) return forever();
    const leftMs = () => Math.max(0, restMs - (clock.monotonic() - leftAt));
    const delayMs = leftMs();
    const wait = { key, dueAt: clock.now() + delayMs, delayMs, isParked: false };
    // Before anything else is begun: a crash must not leave that to a workflow that is thought to be parked.
    await store?.keep({ kind: 'timed', id: this.#waiter.id, ...wait });
    this.#outside = undefined;
    const early = this.#takeEarly(topic); // it may have come while that was kept
    if (early) resolve(early);
    else this.#waitHere(topic, leftMs()).then(resolve, reject);
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
