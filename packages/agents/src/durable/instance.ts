import type { Clock, FailureDescription, Tool } from '@buddy/core';
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
import type { WorkflowResult, WorkflowView } from './engine.ts';
import { asJson, NotJsonError } from './json-value.ts';
import type { Lane } from './lane.ts';
import type { RateLimit } from './rate-limit.ts';
import { LOST, notJson, poisonous } from './refusals.ts';
import {
  fromJournal,
  restOf,
  type StoredWorkflow,
  toJournal,
  type WorkflowStore,
} from './workflow-store.ts';

/** What a workflow needs of the scheduler that runs it. */
export interface InstanceHost {
  readonly clock: Clock;
  /** Undefined: nothing outlives the process, and nothing is ever recalled. */
  readonly store: WorkflowStore | undefined;
  readonly deadlines: Deadlines;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly isClosed: boolean;
  /** So often may a call end its process before it is called no more. */
  readonly poisonAfter: number;
  lane(name: string | undefined): Lane | undefined;
  rateLimit(provider: string | undefined): RateLimit | undefined;
  spawn(child: ChildStart, parent: Instance): Instance | undefined;
  ended(id: string): Promise<WorkflowResult>;
  forget(id: string): void;
  /** Takes it out of memory until it is signalled or the time has passed. */
  evict(instance: Instance, afterMs: number): void;
  /** Takes an evicted one into memory again. @returns Not so when another instance of the workflow goes on instead. */
  takeBack(instance: Instance): boolean;
  tell(fact: object, at: number): void;
  onEnded(): void;
}

/** What has happened to a workflow before this instance of it. */
export interface Past {
  stored: StoredWorkflow;
  /** It comes back because the time that it waited for has come, whatever the clock on the wall says. */
  isDue: boolean;
  /** It was under way when a process ended: what it does next may be what ended it. */
  isSuspect: boolean;
}

/** One workflow as it runs: the verbs of its context, and what reaches it from outside. */
export class Instance implements DurableContext {
  readonly id: string;
  readonly workflow: string;
  status: WorkflowView['status'] = 'running';
  ended: Promise<WorkflowResult> = Promise.resolve({ kind: 'completed', value: undefined });
  readonly #host: InstanceHost;
  readonly #past: StoredWorkflow | undefined;
  readonly #isDue: boolean;
  #parent: Instance | undefined;
  readonly #children = new Set<Instance>();
  /** What to call when the workflow is cancelled, for whatever it has in flight. */
  readonly #interrupts = new Set<Interruptible>();
  readonly #timers = new Set<AbortController>();
  readonly #inbox = new Map<string, Signal[]>();
  readonly #receivedKeys = new Set<string>();
  readonly #waiting = new Map<string, (signal: Signal) => void>();
  #cancelReason: string | undefined;
  /** Verbs that have not answered. */
  #verbs = 0;
  /** As in `Past`, and it has done nothing since. */
  #isSuspect: boolean;
  /** Brings it back into memory, from which its wait has taken it; undefined while it is there. */
  #comeBack: (() => Promise<void>) | undefined;

  constructor(
    host: InstanceHost,
    { id, workflow }: { id: string; workflow: string },
    parent: Instance | undefined,
    past: Past | undefined,
  ) {
    const { stored, isDue = false, isSuspect = false } = past ?? {};
    this.#host = host;
    this.#parent = parent;
    this.#past = stored;
    this.#isDue = isDue;
    this.#isSuspect = isSuspect;
    this.#cancelReason = stored?.cancelReason;
    this.id = id;
    this.workflow = workflow;
    for (const { key, topic, value, isConsumed } of stored?.signals ?? []) {
      this.#receivedKeys.add(key);
      if (!isConsumed) this.#keepForLater({ key, topic, value: fromJournal(value) });
    }
  }

  activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>> {
    const known = this.#past?.recorded.get(call.key);
    if (known !== undefined) return Promise.resolve(fromJournal<ActivityResult<Value>>(known));
    if (this.#comeBack) return this.#comeBack().then(() => this.activity(call));
    this.#verbs += 1;
    const lane = this.#host.lane(call.lane);
    const rate = this.#host.rateLimit(call.provider);
    if (rate) return this.#performInTurn(call, lane, rate);
    if (!lane || (this.#mayStart(call) && lane.tryEnter())) return this.#perform(call, lane);
    return this.#performInTurn(call, lane, undefined);
  }

  async #performInTurn<Value>(
    call: ActivityCall,
    lane: Lane | undefined,
    rate: RateLimit | undefined,
  ): Promise<ActivityResult<Value>> {
    const isCancellable = !call.evenIfCancelled;
    if (rate) await this.#enter(rate, isCancellable);
    const hasPlace = lane !== undefined && (await this.#enter(lane, isCancellable));
    return this.#perform<Value>(call, hasPlace ? lane : undefined);
  }

  #mayStart({ evenIfCancelled }: ActivityCall): boolean {
    return evenIfCancelled === true || this.#cancelReason === undefined;
  }

  /** Written with callbacks, for it is run twice for every task: an async function costs as much as a short task. */
  #perform<Value>(call: ActivityCall, lane: Lane | undefined): Promise<ActivityResult<Value>> {
    const { store } = this.#host;
    if (store) return this.#performDurably(call, lane, store);
    return new Promise((resolve) =>
      this.#callTool<Value>(call, (result) => {
        lane?.leave();
        this.#verbs -= 1;
        resolve(result);
      }),
    );
  }

  async #performDurably<Value>(
    call: ActivityCall,
    lane: Lane | undefined,
    store: WorkflowStore,
  ): Promise<ActivityResult<Value>> {
    const refusal = await this.#prepare(call, store);
    const came = refusal
      ? this.#refusedResult<Value>(refusal)
      : await new Promise<ActivityResult<Value>>((resolve) => this.#callTool(call, resolve));
    lane?.called();
    this.#isSuspect = false;
    const { text, value: result } = this.#asKept(call, came);
    await store.keep({
      kind: 'recorded',
      id: this.id,
      at: this.#host.clock.now(),
      key: call.key,
      value: text,
      tool: call.tool,
    });
    lane?.kept();
    this.#verbs -= 1;
    return result;
  }

  #asKept<Value>(call: ActivityCall, came: ActivityResult<Value>) {
    try {
      return asJson(came, `What ${call.tool} answered`);
    } catch (error) {
      if (!(error instanceof NotJsonError)) throw error;
      return asJson(this.#refusedResult<Value>(notJson(error.message)), 'A refusal');
    }
  }

  #callTool<Value>(call: ActivityCall, onEnded: (result: ActivityResult<Value>) => void): void {
    const { clock, deadlines, tools } = this.#host;
    const isCancellable = !call.evenIfCancelled;
    const host: ActivityHost = {
      clock,
      deadlines,
      interrupts: isCancellable ? this.#interrupts : undefined,
      cancelReason: isCancellable ? this.#cancelReason : undefined,
    };
    performActivity<Value>(call, tools.get(call.tool), host, onEnded);
  }

  /**
   * What has to be on disk before a call is made: that it will be, when it must not be made twice, or may be what ended the
   * process before.
   * @returns Why it is not to be made.
   */
  async #prepare(
    call: ActivityCall,
    store: WorkflowStore,
  ): Promise<FailureDescription | undefined> {
    await store.stalled();
    if (!this.#mayStart(call)) return undefined; // it will not be made
    const isOnce = this.#host.tools.get(call.tool)?.effect === 'once';
    if (!isOnce && !this.#isSuspect) return undefined;
    const tries = this.#past?.intended.get(call.key) ?? 0;
    if (isOnce && tries > 0) return LOST;
    if (tries >= this.#host.poisonAfter) return poisonous(tries);
    await store.keep({ kind: 'intended', id: this.id, key: call.key, tries: tries + 1 });
    return undefined;
  }

  #refusedResult<Value>(failure: FailureDescription): ActivityResult<Value> {
    const at = this.#host.clock.now();
    return { kind: 'failed', failure, startedAt: at, endedAt: at };
  }

  sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    return this.#once(key, async () => {
      if (this.#cancelReason !== undefined) return 'cancelled';
      const timer = this.#startTimer(this.#restOf(key, ms));
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
    let consumed: string | undefined;
    const receive = async (): Promise<Received<Value>> => {
      const signal = await this.#receive(topic, key, timeoutMs);
      if (typeof signal === 'string') return { kind: signal };
      consumed = signal.key;
      return { kind: 'received', value: signal.value as Value };
    };
    return this.#once(key, receive, () => consumed);
  }

  async spawnAll(children: readonly ChildStart[]): Promise<readonly ChildHandle[]> {
    await this.#beHere();
    this.#verbs -= 1;
    return children.map((start) => {
      const child = this.#host.spawn(start, this);
      if (child) {
        this.#children.add(child);
        if (this.#cancelReason !== undefined) child.cancel(this.#cancelReason);
      }
      return { id: start.id };
    });
  }

  async joinAll<Value>(children: readonly ChildHandle[]): Promise<readonly ChildResult<Value>[]> {
    await this.#beHere();
    const results: ChildResult<Value>[] = [];
    for (const { id } of children) {
      results.push((await this.#host.ended(id)) as ChildResult<Value>);
    }
    for (const { id } of children) this.#host.forget(id);
    this.#verbs -= 1;
    return results;
  }

  emit(key: string, fact: object): Promise<void> {
    const { store } = this.#host;
    if (!store) {
      try {
        this.#host.tell(fact, this.#host.clock.now());
        return DONE;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#past?.told.has(key) ? DONE : this.#tellDurably(key, fact, store);
  }

  async #tellDurably(key: string, fact: object, store: WorkflowStore): Promise<void> {
    const { text, value: told } = asJson(fact, `The fact ${key}`);
    await this.#beHere();
    const at = this.#host.clock.now();
    await store.keep({ kind: 'told', id: this.id, at, key, fact: text });
    this.#verbs -= 1;
    this.#host.tell(told, at);
  }

  get cancelReason(): string | null {
    return this.#cancelReason ?? null;
  }

  /** Whether it goes on with what another instance began. */
  get isReplayed(): boolean {
    return this.#past !== undefined;
  }

  /** Whether a signal of this key has come before. */
  hasReceived(key: string): boolean {
    return this.#receivedKeys.has(key);
  }

  receive(topic: string, value: unknown, key: string): void {
    if (this.#receivedKeys.has(key)) return;
    this.#receivedKeys.add(key);
    const signal = { key, topic, value };
    const take = this.#waiting.get(topic);
    if (take) take(signal);
    else this.#keepForLater(signal);
  }

  #keepForLater(signal: Signal): void {
    const { topic } = signal;
    this.#inbox.set(topic, [...(this.#inbox.get(topic) ?? []), signal]);
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

  /** It waits in the store from now on; whoever cancels its parent finds it there. */
  leaveParent(): void {
    this.#parent?.adopt(this, this.#children);
  }

  /** Lets go of timers; whatever waits for them waits for ever. */
  dropTimers(): void {
    for (const timer of this.#timers) timer.abort();
  }

  /** @returns Whether it was let through; not so when it was cancelled before. */
  async #enter(lane: Lane | RateLimit, isCancellable: boolean): Promise<boolean> {
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

  /** Begins a verb. Counted at once: a wait beside it that begins at the same moment is not alone. */
  #beHere(): Promise<void> | undefined {
    this.#verbs += 1;
    return this.#comeBack?.();
  }

  /** A signal that comes after the wait has ended, in whatever way, is kept for the next one. */
  async #receive(topic: string, key: string, timeoutMs: number): Promise<Came> {
    const early = this.#takeEarly(topic);
    if (early) return early;
    const isAlone = this.#mayBeEvicted;
    const restMs = this.#restOf(key, timeoutMs, isAlone);
    if (isAlone && restMs > 0) return this.#waitOutside(topic, key, restMs);
    return this.#waitHere(topic, restMs);
  }

  /** What ends a wait before it begins. */
  #takeEarly(topic: string): Came | undefined {
    const early = this.#inbox.get(topic)?.shift();
    if (early) return early;
    return this.#cancelReason === undefined ? undefined : 'cancelled';
  }

  /**
   * Leaves the memory: whatever comes for it, comes for another instance. Unless a branch beside the wait, which could not be
   * seen when the wait began, does something after all: then nothing has happened.
   */
  #waitOutside(topic: string, key: string, restMs: number): Promise<Came> {
    const { store, clock } = this.#host;
    const { promise, resolve, reject } = Promise.withResolvers<Came>();
    const leftAt = clock.monotonic();
    const leftMs = () => Math.max(0, restMs - (clock.monotonic() - leftAt));
    const comeBack = async () => {
      if (!this.#host.takeBack(this)) return forever();
      const delayMs = leftMs();
      const wait = { key, dueAt: clock.now() + delayMs, delayMs, isParked: false };
      // Before anything else is begun: a crash must not leave that to a workflow that is thought to be parked.
      await store?.keep({ kind: 'timed', id: this.id, ...wait });
      this.#comeBack = undefined;
      const early = this.#takeEarly(topic); // it may have come while that was kept
      if (early) resolve(early);
      else this.#waitHere(topic, leftMs()).then(resolve, reject);
    };
    let coming: Promise<void> | undefined;
    this.#comeBack = () => (coming ??= comeBack());
    this.#host.evict(this, restMs);
    return promise;
  }

  #waitHere(topic: string, restMs: number): Promise<Came> {
    const { promise, resolve, reject } = Promise.withResolvers<Came>();
    const timer = this.#startTimer(restMs);
    const finish = (received: Came) => {
      this.#interrupts.delete(interrupt);
      this.#waiting.delete(topic);
      timer.stop();
      resolve(received);
    };
    const interrupt = { interrupt: () => finish('cancelled') };
    this.#interrupts.add(interrupt);
    this.#waiting.set(topic, finish);
    const timeOut = async () => {
      if (await timer.isOver) finish('timed_out');
    };
    timeOut().catch(reject);
    return promise;
  }

  /** This wait is all there is: nothing is in flight that an eviction would lose. */
  get #mayBeEvicted(): boolean {
    return (
      this.#host.store !== undefined &&
      this.status === 'running' &&
      this.#verbs === 1 &&
      this.#interrupts.size === 0 &&
      this.#children.size === 0
    );
  }

  /** How long a wait of `ms` still takes. */
  #restOf(key: string, ms: number, isParked = false): number {
    const { clock, store } = this.#host;
    const begun = this.#past?.timed.get(key);
    if (begun && this.#isDue) return 0;
    if (begun) return restOf(begun, clock.now());
    const dueAt = clock.now() + ms;
    // Nobody waits for it: when it is lost, so is all that comes after, and the wait begins anew.
    void store?.keep({ kind: 'timed', id: this.id, key, dueAt, delayMs: ms, isParked });
    return ms;
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
  async #once<Value>(
    key: string,
    work: () => Promise<Value>,
    consumed: () => string | undefined = () => undefined,
  ): Promise<Value> {
    const { store } = this.#host;
    const known = this.#past?.recorded.get(key);
    if (known !== undefined) return fromJournal<Value>(known);
    await this.#beHere();
    const value = await work();
    if (store) {
      const consumes = consumed();
      await store.keep({
        kind: 'recorded',
        id: this.id,
        at: this.#host.clock.now(),
        key,
        value: toJournal(value),
        ...(consumes !== undefined && { consumes }),
      });
    }
    this.#verbs -= 1;
    return value;
  }
}

/** What ends a wait. */
type Came = Signal | 'timed_out' | 'cancelled';

interface Signal {
  key: string;
  topic: string;
  value: unknown;
}

const DONE = Promise.resolve();

function forever(): Promise<never> {
  return new Promise(() => undefined);
}
