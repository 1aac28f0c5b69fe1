import { type Clock, describeFailure, systemClock, type Tool } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import { performActivity } from './activity.ts';
import { Deadlines } from './deadlines.ts';
import type {
  ActivityCall,
  ActivityResult,
  ChildHandle,
  ChildResult,
  ChildStart,
  DurableContext,
  Received,
} from './durable-context.ts';
import {
  type Engine,
  forgetfulStore,
  type JournalStore,
  type Registration,
  type WorkflowResult,
  type WorkflowView,
} from './engine.ts';
import { Lane } from './lane.ts';

/**
 * An engine in this process. What it remembers is up to its store; with the default one, nothing outlives the process.
 * @example
 * const engine = createEngine();
 * engine.register({ workflows: { greet: async (ctx) => ctx.now('start') }, tools: [], lanes: {} });
 * await engine.start('greeting-1', 'greet', null);
 * await engine.result('greeting-1'); // { kind: 'completed', value: 1767225600000 }
 */
export function createEngine({
  clock = systemClock,
  store = forgetfulStore,
}: { clock?: Clock; store?: JournalStore } = {}): Engine {
  return new Scheduler(clock, store);
}

class Scheduler implements Engine {
  readonly clock: Clock;
  readonly store: JournalStore;
  readonly deadlines: Deadlines;
  readonly tools = new Map<string, Tool>();
  readonly #workflows = new Map<string, (context: DurableContext, input: never) => Promise<unknown>>();
  readonly #lanes = new Map<string, Lane>();
  readonly #instances = new Map<string, Instance>();
  readonly #listeners = new Set<(fact: object) => void>();
  #running = 0;

  constructor(clock: Clock, store: JournalStore) {
    this.clock = clock;
    this.store = store;
    this.deadlines = new Deadlines(clock);
  }

  register({ workflows, tools, lanes }: Registration): void {
    for (const [name, workflow] of Object.entries(workflows)) this.#workflows.set(name, workflow);
    for (const tool of tools) {
      const known = this.tools.get(tool.name);
      if (known && known !== tool) throw new EngineMisuseError(`Two tools are named ${tool.name}`);
      this.tools.set(tool.name, tool);
    }
    for (const [name, concurrency] of Object.entries(lanes)) this.#lanes.set(name, new Lane(concurrency));
  }

  async start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }> {
    if (this.#instances.has(id)) return { created: false };
    this.spawn(id, workflow, input);
    return { created: true };
  }

  /** Runs a workflow until its first wait. */
  spawn(id: string, name: string, input: unknown, parent?: Instance): Instance {
    const workflow = this.#workflows.get(name);
    if (!workflow) {
      const known = [...this.#workflows.keys()].join(', ') || 'none';
      throw new EngineMisuseError(`No workflow is named ${name}; registered: ${known}`);
    }
    if (this.#instances.has(id)) throw new EngineMisuseError(`A workflow with id ${id} is there already`);
    const instance = new Instance(this, id, name, parent);
    this.#instances.set(id, instance);
    this.#running += 1;
    instance.ended = workflow(instance, input as never).then(
      (value): WorkflowResult => instance.end({ kind: 'completed', value }),
      (error: unknown): WorkflowResult => instance.end({ kind: 'failed', failure: describeFailure(error) }),
    );
    return instance;
  }

  /** Timers must not keep a process alive that has nothing to do. */
  onEnded(): void {
    this.#running -= 1;
    if (this.#running === 0) this.deadlines.rest();
  }

  forget(id: string): void {
    this.#instances.delete(id);
  }

  lane(name: string | undefined): Lane | undefined {
    return name === undefined ? undefined : this.#lanes.get(name);
  }

  tell(fact: object): void {
    for (const listener of this.#listeners) listener(fact);
  }

  async signal(id: string, topic: string, value: unknown, { key }: { key: string }): Promise<void> {
    this.instance(id).receive(topic, value, key);
  }

  async cancel(id: string, reason: string): Promise<void> {
    this.instance(id).cancel(reason);
  }

  async result(id: string): Promise<WorkflowResult> {
    return this.instance(id).ended;
  }

  async *list(): AsyncIterable<WorkflowView> {
    for (const { id, workflow, status } of this.#instances.values()) yield { id, workflow, status };
  }

  subscribe(listener: (fact: object) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.deadlines.rest();
  }

  instance(id: string): Instance {
    const instance = this.#instances.get(id);
    if (!instance) throw new EngineMisuseError(`No workflow has the id ${id}`);
    return instance;
  }
}

/** One workflow as it runs: the verbs of its context, and what reaches it from outside. */
class Instance implements DurableContext {
  readonly id: string;
  readonly workflow: string;
  status: WorkflowView['status'] = 'running';
  ended: Promise<WorkflowResult> = Promise.resolve({ kind: 'completed', value: undefined });
  readonly #scheduler: Scheduler;
  readonly #parent: Instance | undefined;
  readonly #children = new Set<Instance>();
  /** What to call when the workflow is cancelled, for whatever it has in flight. */
  readonly #interrupts = new Set<(reason: string) => void>();
  readonly #inbox = new Map<string, unknown[]>();
  readonly #receivedKeys = new Set<string>();
  readonly #waiting = new Map<string, (value: unknown) => void>();
  #cancelReason: string | undefined;

  constructor(scheduler: Scheduler, id: string, workflow: string, parent: Instance | undefined) {
    this.#scheduler = scheduler;
    this.#parent = parent;
    this.id = id;
    this.workflow = workflow;
  }

  async activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>> {
    const { clock, store, deadlines, tools } = this.#scheduler;
    const known = store.recall(this.id, call.key);
    if (known) return known.value as ActivityResult<Value>;
    const isCancellable = !call.evenIfCancelled;
    const lane = this.#scheduler.lane(call.lane);
    if (lane && !lane.tryEnter()) await lane.wait();
    try {
      const result = await performActivity<Value>(call, tools.get(call.tool), {
        clock,
        deadlines,
        interrupts: isCancellable ? this.#interrupts : undefined,
        cancelReason: isCancellable ? this.#cancelReason : undefined,
      });
      await store.record(this.id, call.key, result);
      return result;
    } finally {
      lane?.leave();
    }
  }

  async sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    return this.#once(key, async () => {
      if (this.#cancelReason !== undefined) return 'cancelled';
      const woken = new AbortController();
      const interrupt = () => woken.abort();
      this.#interrupts.add(interrupt);
      try {
        await this.#scheduler.clock.sleep(ms, woken.signal);
        return 'slept';
      } catch (error) {
        if (woken.signal.aborted) return 'cancelled';
        throw error;
      } finally {
        this.#interrupts.delete(interrupt);
      }
    });
  }

  now(key: string): Promise<number> {
    return this.#once(key, async () => this.#scheduler.clock.now());
  }

  waitFor<Value>(
    topic: string,
    { key, timeoutMs }: { key: string; timeoutMs: number },
  ): Promise<Received<Value>> {
    return this.#once(key, () => this.#receive<Value>(topic, timeoutMs));
  }

  async spawnAll(children: readonly ChildStart[]): Promise<readonly ChildHandle[]> {
    return children.map(({ id, workflow, input }) => {
      const child = this.#scheduler.spawn(id, workflow, input, this);
      this.#children.add(child);
      if (this.#cancelReason !== undefined) child.cancel(this.#cancelReason);
      return { id };
    });
  }

  async joinAll<Value>(children: readonly ChildHandle[]): Promise<readonly ChildResult<Value>[]> {
    const results: ChildResult<Value>[] = [];
    for (const { id } of children) {
      const child = this.#scheduler.instance(id);
      results.push((await child.ended) as ChildResult<Value>);
    }
    for (const { id } of children) this.#scheduler.forget(id);
    return results;
  }

  async emit(key: string, fact: object): Promise<void> {
    const { store } = this.#scheduler;
    if (store.recall(this.id, key)) return;
    await store.record(this.id, key, fact);
    this.#scheduler.tell(fact);
  }

  receive(topic: string, value: unknown, key: string): void {
    if (this.#receivedKeys.has(key)) return;
    this.#receivedKeys.add(key);
    const take = this.#waiting.get(topic);
    if (take) take(value);
    else this.#inbox.set(topic, [...(this.#inbox.get(topic) ?? []), value]);
  }

  cancel(reason: string): void {
    if (this.status !== 'running' || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    for (const child of this.#children) child.cancel(reason);
    for (const interrupt of this.#interrupts) interrupt(reason);
  }

  end(result: WorkflowResult): WorkflowResult {
    this.status = this.#cancelReason === undefined ? result.kind : 'cancelled';
    this.#parent?.adopt(this, this.#children);
    this.#children.clear();
    this.#scheduler.onEnded();
    return result;
  }

  /** What a child leaves running is cancelled with its grandparent. */
  adopt(child: Instance, grandchildren: ReadonlySet<Instance>): void {
    this.#children.delete(child);
    for (const grandchild of grandchildren) this.#children.add(grandchild);
  }

  async #receive<Value>(topic: string, timeoutMs: number): Promise<Received<Value>> {
    const early = this.#inbox.get(topic)?.shift();
    if (early !== undefined) return { kind: 'received', value: early as Value };
    if (this.#cancelReason !== undefined) return { kind: 'cancelled' };
    const over = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Received<Value>>();
    const interrupt = () => resolve({ kind: 'cancelled' });
    this.#interrupts.add(interrupt);
    this.#waiting.set(topic, (value) => resolve({ kind: 'received', value: value as Value }));
    const timeout = this.#scheduler.clock.sleep(timeoutMs, over.signal).then(
      () => resolve({ kind: 'timed_out' }),
      (error: unknown) => {
        if (!over.signal.aborted) throw error;
      },
    );
    try {
      return await promise;
    } finally {
      this.#interrupts.delete(interrupt);
      this.#waiting.delete(topic);
      over.abort();
      await timeout;
    }
  }

  /** Does it, or recalls what came of it. */
  async #once<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const { store } = this.#scheduler;
    const known = store.recall(this.id, key);
    if (known) return known.value as Value;
    const value = await work();
    await store.record(this.id, key, value);
    return value;
  }
}
