import type { Clock } from '@buddy/core';
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
import { Inbox } from './inbox.ts';
import { asJson } from './json-value.ts';
import { KeptCalls } from './kept-calls.ts';
import type { Lane } from './lane.ts';
import { enter } from './line.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Registry } from './registry.ts';
import { type Waiter, Waits } from './waits.ts';
import {
  fromJournal,
  type StoredWorkflow,
  toJournal,
  type WorkflowStore,
} from './workflow-store.ts';

/** What a workflow needs of the scheduler that runs it. */
export interface InstanceHost {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Undefined: nothing outlives the process, and nothing is ever recalled. */
  readonly store: WorkflowStore | undefined;
  readonly deadlines: Deadlines;
  readonly isClosed: boolean;
  /** So often may a call end its process before it is called no more. */
  readonly poisonAfter: number;
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
export class Instance implements DurableContext, Waiter {
  readonly id: string;
  readonly workflow: string;
  status: WorkflowView['status'] = 'running';
  ended: Promise<WorkflowResult> = Promise.resolve({ kind: 'completed', value: undefined });
  readonly #host: InstanceHost;
  readonly #registry: Registry;
  readonly #past: StoredWorkflow | undefined;
  #parent: Instance | undefined;
  readonly #children = new Set<Instance>();
  readonly interrupts = new Set<Interruptible>();
  readonly #inbox = new Inbox();
  readonly #waits: Waits;
  /** Undefined: nothing outlives the process. */
  readonly #keptCalls: KeptCalls | undefined;
  #cancelReason: string | undefined;
  /** Verbs that have not answered. */
  #verbs = 0;

  constructor(
    host: InstanceHost,
    { id, workflow }: { id: string; workflow: string },
    parent: Instance | undefined,
    past: Past | undefined,
  ) {
    const { store } = host;
    const { stored } = past ?? {};
    this.#host = host;
    this.#registry = host.registry;
    this.#parent = parent;
    this.#past = stored;
    this.#cancelReason = stored?.cancelReason;
    this.id = id;
    this.workflow = workflow;
    this.#waits = new Waits(host, this, this.#inbox, past);
    this.#keptCalls = store && new KeptCalls(id, host, store, past);
    for (const { key, topic, value, isConsumed } of stored?.signals ?? []) {
      this.#inbox.recall({ key, topic, value: fromJournal(value) }, { isTaken: isConsumed });
    }
  }

  activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>> {
    const known = this.#past?.recorded.get(call.key);
    if (known !== undefined) return Promise.resolve(fromJournal<ActivityResult<Value>>(known));
    const coming = this.#waits.comeBack();
    if (coming) return coming.then(() => this.activity(call));
    this.#verbs += 1;
    const lane = this.#registry.lane(call.lane);
    const rate = this.#registry.rateLimit(call.provider);
    if (rate) return this.#performInTurn(call, lane, rate);
    if (!lane || (this.#mayStart(call) && lane.tryEnter())) return this.#perform(call, lane);
    return this.#performInTurn(call, lane, undefined);
  }

  async #performInTurn<Value>(
    call: ActivityCall,
    lane: Lane | undefined,
    rate: RateLimit | undefined,
  ): Promise<ActivityResult<Value>> {
    const interrupts = call.evenIfCancelled ? undefined : this.interrupts;
    if (rate && this.#mayStart(call)) await enter(rate, interrupts);
    const hasPlace = lane !== undefined && this.#mayStart(call) && (await enter(lane, interrupts));
    return this.#perform<Value>(call, hasPlace ? lane : undefined);
  }

  #mayStart({ evenIfCancelled }: ActivityCall): boolean {
    return evenIfCancelled === true || this.#cancelReason === undefined;
  }

  /** Written with callbacks, for it is run twice for every task: an async function costs as much as a short task. */
  #perform<Value>(call: ActivityCall, lane: Lane | undefined): Promise<ActivityResult<Value>> {
    const keptCalls = this.#keptCalls;
    if (keptCalls) return this.#performDurably(call, lane, keptCalls);
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
    keptCalls: KeptCalls,
  ): Promise<ActivityResult<Value>> {
    await keptCalls.stalled();
    // One that was cancelled will not be made.
    const refused = this.#mayStart(call) ? await keptCalls.prepare<Value>(call) : undefined;
    const came =
      refused ??
      (await new Promise<ActivityResult<Value>>((resolve) => this.#callTool(call, resolve)));
    lane?.called();
    const { result, kept } = keptCalls.keep(call, came);
    await kept;
    lane?.kept();
    this.#verbs -= 1;
    return result;
  }

  #callTool<Value>(call: ActivityCall, onEnded: (result: ActivityResult<Value>) => void): void {
    const { clock, deadlines } = this.#host;
    const isCancellable = !call.evenIfCancelled;
    const host: ActivityHost = {
      clock,
      deadlines,
      interrupts: isCancellable ? this.interrupts : undefined,
      cancelReason: isCancellable ? this.#cancelReason : undefined,
    };
    performActivity<Value>(call, this.#registry.tools.get(call.tool), host, onEnded);
  }

  sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    return this.#once(key, () => this.#waits.sleep(key, ms));
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
      const signal = await this.#waits.receive(topic, key, timeoutMs);
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
    return this.#inbox.hasReceived(key);
  }

  receive(topic: string, value: unknown, key: string): void {
    this.#inbox.receive({ key, topic, value });
  }

  /** Also when it has ended: what it left running is cancelled with it. */
  cancel(reason: string): void {
    if (this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    for (const child of this.#children) child.cancel(reason);
    for (const one of this.interrupts) one.interrupt(reason);
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
    this.#waits.dropTimers();
  }

  leave(afterMs: number): void {
    this.#host.evict(this, afterMs);
  }

  takeBack(): boolean {
    return this.#host.takeBack(this);
  }

  get mayLeave(): boolean {
    return (
      this.#host.store !== undefined &&
      this.status === 'running' &&
      this.#verbs === 1 &&
      this.interrupts.size === 0 &&
      this.#children.size === 0
    );
  }

  /** Begins a verb. Counted at once: a wait beside it that begins at the same moment is not alone. */
  #beHere(): Promise<void> | undefined {
    this.#verbs += 1;
    return this.#waits.comeBack();
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

const DONE = Promise.resolve();
