import type { Clock, Tool } from '@buddy/core';
import { type ActivityHost, type Interruptible, performActivity } from './activity.ts';
import type { Deadlines } from './deadlines.ts';
import type {
  ActivityCall,
  ActivityResult,
  ChildHandle,
  ChildResult,
  ChildStart,
  DurableContext,
  Received,
} from './durable-context.ts';
import type { JournalStore, WorkflowResult, WorkflowView } from './engine.ts';
import type { Lane } from './lane.ts';

/** What a workflow needs of the scheduler that runs it. */
export interface InstanceHost {
  readonly clock: Clock;
  readonly store: JournalStore;
  readonly deadlines: Deadlines;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly isClosed: boolean;
  lane(name: string | undefined): Lane | undefined;
  spawn(id: string, workflow: string, input: unknown, parent: Instance): Instance;
  instance(id: string): Instance;
  forget(id: string): void;
  tell(fact: object): void;
  onEnded(): void;
}

/** One workflow as it runs: the verbs of its context, and what reaches it from outside. */
export class Instance implements DurableContext {
  readonly id: string;
  readonly workflow: string;
  status: WorkflowView['status'] = 'running';
  ended: Promise<WorkflowResult> = Promise.resolve({ kind: 'completed', value: undefined });
  readonly #host: InstanceHost;
  #parent: Instance | undefined;
  readonly #children = new Set<Instance>();
  /** What to call when the workflow is cancelled, for whatever it has in flight. */
  readonly #interrupts = new Set<Interruptible>();
  readonly #timers = new Set<AbortController>();
  readonly #inbox = new Map<string, unknown[]>();
  readonly #receivedKeys = new Set<string>();
  readonly #waiting = new Map<string, (value: unknown) => void>();
  #cancelReason: string | undefined;

  constructor(host: InstanceHost, id: string, workflow: string, parent: Instance | undefined) {
    this.#host = host;
    this.#parent = parent;
    this.id = id;
    this.workflow = workflow;
  }

  activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>> {
    const known = this.#host.store.recall(this.id, call.key);
    if (known) return Promise.resolve(known.value as ActivityResult<Value>);
    const lane = this.#host.lane(call.lane);
    if (!lane || (this.#mayStart(call) && lane.tryEnter())) return this.#perform(call, lane);
    return this.#performInTurn(call, lane);
  }

  async #performInTurn<Value>(call: ActivityCall, lane: Lane): Promise<ActivityResult<Value>> {
    const hasPlace = await this.#enter(lane, !call.evenIfCancelled);
    return this.#perform<Value>(call, hasPlace ? lane : undefined);
  }

  #mayStart({ evenIfCancelled }: ActivityCall): boolean {
    return evenIfCancelled === true || this.#cancelReason === undefined;
  }

  /** Written with callbacks, for it is run twice for every task: an async function costs as much as a short task. */
  #perform<Value>(call: ActivityCall, lane: Lane | undefined): Promise<ActivityResult<Value>> {
    const { clock, store, deadlines, tools } = this.#host;
    const isCancellable = !call.evenIfCancelled;
    return new Promise((resolve, reject) => {
      const host: ActivityHost = {
        clock,
        deadlines,
        interrupts: isCancellable ? this.#interrupts : undefined,
        cancelReason: isCancellable ? this.#cancelReason : undefined,
      };
      performActivity<Value>(call, tools.get(call.tool), host, (result) => {
        const recorded = store.record(this.id, call.key, result);
        if (recorded) recorded.then(() => resolve(result), reject).finally(() => lane?.leave());
        else {
          lane?.leave();
          resolve(result);
        }
      });
    });
  }

  async sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    return this.#once(key, async () => {
      if (this.#cancelReason !== undefined) return 'cancelled';
      const timer = this.#startTimer(ms);
      const interrupt = { interrupt: () => timer.stop() };
      this.#interrupts.add(interrupt);
      try {
        return (await timer.isOver) ? 'slept' : 'cancelled';
      } finally {
        this.#interrupts.delete(interrupt);
      }
    });
  }

  now(key: string): Promise<number> {
    return this.#once(key, async () => this.#host.clock.now());
  }

  waitFor<Value>(
    topic: string,
    { key, timeoutMs }: { key: string; timeoutMs: number },
  ): Promise<Received<Value>> {
    return this.#once(key, () => this.#receive<Value>(topic, timeoutMs));
  }

  async spawnAll(children: readonly ChildStart[]): Promise<readonly ChildHandle[]> {
    return children.map(({ id, workflow, input }) => {
      const child = this.#host.spawn(id, workflow, input, this);
      this.#children.add(child);
      if (this.#cancelReason !== undefined) child.cancel(this.#cancelReason);
      return { id };
    });
  }

  async joinAll<Value>(children: readonly ChildHandle[]): Promise<readonly ChildResult<Value>[]> {
    const results: ChildResult<Value>[] = [];
    for (const { id } of children) {
      const child = this.#host.instance(id);
      results.push((await child.ended) as ChildResult<Value>);
    }
    for (const { id } of children) this.#host.forget(id);
    return results;
  }

  emit(key: string, fact: object): Promise<void> {
    const { store } = this.#host;
    if (store.recall(this.id, key)) return DONE;
    const recorded = store.record(this.id, key, fact);
    if (recorded) return recorded.then(() => this.#host.tell(fact));
    try {
      this.#host.tell(fact);
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(topic: string, value: unknown, key: string): void {
    if (this.#receivedKeys.has(key)) return;
    this.#receivedKeys.add(key);
    const take = this.#waiting.get(topic);
    if (take) take(value);
    else this.#inbox.set(topic, [...(this.#inbox.get(topic) ?? []), value]);
  }

  /** Also when it has ended: what it left running is cancelled with it. */
  cancel(reason: string): void {
    if (this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    for (const child of this.#children) child.cancel(reason);
    for (const one of this.#interrupts) one.interrupt(reason);
  }

  end(result: WorkflowResult): WorkflowResult {
    this.status = this.#cancelReason === undefined ? result.kind : 'cancelled';
    this.#parent?.adopt(this, this.#children);
    this.#host.onEnded();
    return result;
  }

  /** What a child leaves running is cancelled with its grandparent. */
  adopt(child: Instance, grandchildren: Set<Instance>): void {
    this.#children.delete(child);
    for (const grandchild of grandchildren) {
      grandchild.#parent = this;
      this.#children.add(grandchild);
    }
    grandchildren.clear();
  }

  /** Lets go of timers; whatever waits for them waits for ever. */
  dropTimers(): void {
    for (const timer of this.#timers) timer.abort();
  }

  /** @returns Whether it got a place in the lane; not so when it was cancelled before. */
  async #enter(lane: Lane, isCancellable: boolean): Promise<boolean> {
    if (isCancellable && this.#cancelReason !== undefined) return false;
    if (lane.tryEnter()) return true;
    return new Promise((resolve) => {
      const interrupt = {
        interrupt: () => {
          leaveLine();
          resolve(false);
        },
      };
      const leaveLine = lane.wait(() => {
        this.#interrupts.delete(interrupt);
        resolve(true);
      });
      if (isCancellable) this.#interrupts.add(interrupt);
    });
  }

  /** A signal that comes after the wait has ended, in whatever way, is kept for the next one. */
  async #receive<Value>(topic: string, timeoutMs: number): Promise<Received<Value>> {
    const early = this.#inbox.get(topic);
    if (early && early.length > 0) return { kind: 'received', value: early.shift() as Value };
    if (this.#cancelReason !== undefined) return { kind: 'cancelled' };
    const { promise, resolve, reject } = Promise.withResolvers<Received<Value>>();
    const timer = this.#startTimer(timeoutMs);
    const finish = (received: Received<Value>) => {
      this.#interrupts.delete(interrupt);
      this.#waiting.delete(topic);
      timer.stop();
      resolve(received);
    };
    const interrupt = { interrupt: () => finish({ kind: 'cancelled' }) };
    this.#interrupts.add(interrupt);
    this.#waiting.set(topic, (value) => finish({ kind: 'received', value: value as Value }));
    const timeOut = async () => {
      if (await timer.isOver) finish({ kind: 'timed_out' });
    };
    timeOut().catch(reject);
    return promise;
  }

  /** `isOver` says whether the time passed or the timer was stopped; never anything once the engine is closed. */
  #startTimer(ms: number): { isOver: Promise<boolean>; stop: () => void } {
    const stopped = new AbortController();
    const sleep = async () => {
      if (this.#host.isClosed) return forever();
      this.#timers.add(stopped);
      try {
        await this.#host.clock.sleep(ms, stopped.signal);
        return true;
      } catch (error) {
        if (!stopped.signal.aborted) throw error;
        return this.#host.isClosed ? forever() : false;
      } finally {
        this.#timers.delete(stopped);
      }
    };
    return { isOver: sleep(), stop: () => stopped.abort() };
  }

  /** Does it, or recalls what came of it. */
  async #once<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const { store } = this.#host;
    const known = store.recall(this.id, key);
    if (known) return known.value as Value;
    const value = await work();
    await store.record(this.id, key, value);
    return value;
  }
}

const DONE = Promise.resolve();

function forever(): Promise<never> {
  return new Promise(() => undefined);
}
