import { type Clock, describeFailure, systemClock, type Tool } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import { Alarms } from './alarms.ts';
import { Deadlines } from './deadlines.ts';
import type { ChildStart, Workflow } from './durable-context.ts';
import type { Engine, Registration, WorkflowResult, WorkflowView } from './engine.ts';
import { asJson } from './json-value.ts';
import { Instance, type InstanceHost, type Past } from './instance.ts';
import { Lane } from './lane.ts';
import { RateLimit } from './rate-limit.ts';
import {
  fromJournal,
  restOf,
  resultOf,
  type HistoryEntry,
  type WorkflowStore,
} from './workflow-store.ts';

/**
 * An engine in this process. What it remembers is up to its store; without one, nothing outlives the process.
 * @example
 * const engine = createEngine();
 * engine.register({ workflows: { greet: async (ctx) => ctx.now('start') }, tools: [], lanes: {} });
 * await engine.start('greeting-1', 'greet', null);
 * await engine.result('greeting-1'); // { kind: 'completed', value: 1767225600000 }
 */
export function createEngine({
  clock = systemClock,
  store,
  lanes = new Map(),
  poisonAfter = 3,
}: EnginePorts = {}): Engine {
  return new Scheduler(clock, store, lanes, poisonAfter);
}

interface EnginePorts {
  clock?: Clock;
  /** Such as `openJournal` gives; closed with the engine. */
  store?: WorkflowStore;
  /** Lanes that are shared with other engines of this process; one that is there already keeps its concurrency. */
  lanes?: Map<string, Lane>;
  /** So often may a call end its process before it is called no more, and fails. Default 3. */
  poisonAfter?: number;
}

class Scheduler implements Engine, InstanceHost {
  readonly clock: Clock;
  readonly store: WorkflowStore | undefined;
  readonly deadlines: Deadlines;
  readonly tools = new Map<string, Tool>();
  readonly poisonAfter: number;
  /** By version, then by name. */
  readonly #workflows = new Map<string, Map<string, Workflow>>();
  /** What begins now begins with this. */
  #version = DEFAULT_VERSION;
  readonly #lanes: Map<string, Lane>;
  readonly #rateLimits = new Map<string, RateLimit>();
  readonly #instances = new Map<string, Instance>();
  /** Those that are being started from outside, and are not on the disk yet. */
  readonly #starting = new Map<string, Promise<unknown>>();
  /** Signals that are being kept, by workflow and key. */
  readonly #signalling = new Map<string, Promise<void>>();
  /** Those that somebody waits for and that are not in memory. */
  readonly #awaited = new Map<string, PromiseWithResolvers<WorkflowResult>>();
  readonly #alarms: Alarms;
  readonly #listeners = new Set<(fact: object, at: number) => void>();
  /** Those that a process before this one left, as long as they have not come back. */
  readonly #left = new Set<string>();
  #running = 0;
  isClosed = false;

  constructor(
    clock: Clock,
    store: WorkflowStore | undefined,
    lanes: Map<string, Lane>,
    poisonAfter: number,
  ) {
    this.clock = clock;
    this.store = store;
    this.poisonAfter = poisonAfter;
    this.#lanes = lanes;
    this.deadlines = new Deadlines(clock);
    this.#alarms = new Alarms(clock, (id) => this.#wakeInTime(id));
  }

  get isDurable(): boolean {
    return this.store !== undefined;
  }

  register({
    workflows,
    tools,
    lanes,
    providers = {},
    version = DEFAULT_VERSION,
  }: Registration): void {
    this.#version = version;
    const named = this.#workflows.get(version) ?? new Map<string, Workflow>();
    this.#workflows.set(version, named);
    for (const [name, workflow] of Object.entries(workflows)) named.set(name, workflow);
    for (const tool of tools) {
      const known = this.tools.get(tool.name);
      if (known && known !== tool) throw new EngineMisuseError(`Two tools are named ${tool.name}`);
      this.tools.set(tool.name, tool);
    }
    for (const [name, concurrency] of Object.entries(lanes)) {
      if (!this.#lanes.has(name)) this.#lanes.set(name, new Lane(concurrency));
    }
    for (const [name, limit] of Object.entries(providers)) {
      if (!this.#rateLimits.has(name)) this.#rateLimits.set(name, new RateLimit(this.clock, limit));
    }
  }

  async open(): Promise<{ resumed: number }> {
    const { store } = this;
    if (!store) return { resumed: 0 };
    const left = store.unfinished();
    for (const { workflow, version } of left) this.#find(workflow, version); // all or nothing
    for (const { id, parked } of left) {
      // What did nothing when the process ended did not end it, and need not come back before something comes for it.
      if (parked) this.#alarms.set(id, restOf(parked, this.clock.now()));
      else this.#left.add(id);
    }
    if (left.length > 0) for (const limit of this.#rateLimits.values()) limit.useUp();
    // Those below others come back as their parents do again what they did, or were left by one that has ended.
    const roots = left.filter(
      ({ id, parentId }) => this.#left.has(id) && (parentId === null || !this.#left.has(parentId)),
    );
    for (const { id } of roots) this.#resume(id);
    return { resumed: left.length };
  }

  async start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }> {
    this.#find(workflow, this.#version);
    if (this.#instances.has(id)) return { created: false };
    const { store } = this;
    if (!store) {
      this.#run({ id, workflow, input }, undefined, undefined);
      return { created: true };
    }
    const other = this.#starting.get(id);
    if (other) return other.then(() => ({ created: false })); // it may wait, or have ended, before we look again
    const starting = this.#startDurably(id, workflow, input, store);
    this.#starting.set(id, starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(id);
    }
  }

  async #startDurably(
    id: string,
    workflow: string,
    input: unknown,
    store: WorkflowStore,
  ): Promise<{ created: boolean }> {
    const { text, value } = asJson(input, `The input of ${id}`);
    if (store.load(id)) return { created: false };
    await store.offer(this.#beginning(id, workflow, text, null));
    if (this.#instances.has(id) || this.#alarms.has(id)) return { created: false }; // a parent was faster
    this.#run({ id, workflow, input: value }, undefined, undefined);
    return { created: true };
  }

  spawn({ id, workflow, input }: ChildStart, parent: Instance): Instance | undefined {
    const past = parent.isReplayed ? this.store?.load(id) : undefined;
    if (past?.parentId === parent.id) {
      if (past.ended || this.#alarms.has(id)) return undefined;
      return this.#instances.get(id) ?? this.#resume(id, { parent });
    }
    if (past || this.#instances.has(id) || this.#alarms.has(id)) throw alreadyThere(id);
    this.#find(workflow, this.#version);
    if (!this.store) return this.#run({ id, workflow, input }, parent, undefined);
    const { text, value } = asJson(input, `The input of ${id}`);
    void this.store.keep(this.#beginning(id, workflow, text, parent.id));
    return this.#run({ id, workflow, input: value }, parent, undefined);
  }

  #beginning(id: string, workflow: string, input: string, parentId: string | null) {
    return {
      kind: 'begun',
      id,
      workflow,
      version: this.#version,
      parentId,
      input,
    } as const;
  }

  /** Goes on with a workflow that is only in the store. */
  #resume(
    id: string,
    { parent, isDue = false }: { parent?: Instance; isDue?: boolean } = {},
  ): Instance | undefined {
    const stored = this.store?.load(id);
    if (!stored || stored.ended) return undefined;
    const { workflow, input } = stored;
    const past = { stored, isDue, isSuspect: this.#left.delete(id) };
    return this.#run({ id, workflow, input: fromJournal(input) }, parent, past);
  }

  /** Runs a workflow until its first wait. */
  #run(
    { id, workflow: name, input }: { id: string; workflow: string; input: unknown },
    parent: Instance | undefined,
    past: Past | undefined,
  ): Instance {
    const workflow = this.#find(name, past?.stored.version ?? this.#version);
    const instance = new Instance(this, { id, workflow: name }, parent, past);
    this.#instances.set(id, instance);
    this.#running += 1;
    // An async function, so that a workflow that throws at once has failed too.
    instance.ended = (async () => workflow(instance, input as never))().then(
      (value) => this.#end(instance, { kind: 'completed', value }),
      (error: unknown) => this.#end(instance, { kind: 'failed', failure: describeFailure(error) }),
    );
    return instance;
  }

  #end(instance: Instance, came: WorkflowResult): WorkflowResult | Promise<WorkflowResult> {
    const { id } = instance;
    const { store } = this;
    if (!store) return instance.end(came);
    // A wait that it has left behind took it out of memory; if something came for that, another instance goes on instead.
    if (this.#instances.get(id) !== instance && !this.takeBack(instance)) return forever();
    const { text, value: result } = resultAsJson(id, came);
    instance.end(result);
    const { status } = instance;
    const awaited = this.#awaited.get(id);
    this.#awaited.delete(id);
    return store.keep({ kind: 'ended', id, status, result: text }).then(() => {
      if (instance.isReplayed) this.#instances.delete(id); // whoever asks finds it in the store
      awaited?.resolve(result);
      return result;
    });
  }

  /** Timers must not keep a process alive that has nothing to do. */
  onEnded(): void {
    this.#running -= 1;
    if (this.#running === 0) this.deadlines.rest();
  }

  forget(id: string): void {
    this.#instances.delete(id);
  }

  evict(instance: Instance, afterMs: number): void {
    this.#instances.delete(instance.id);
    instance.leaveParent();
    this.onEnded();
    if (!this.isClosed) this.#alarms.set(instance.id, afterMs);
  }

  takeBack(instance: Instance): boolean {
    const { id } = instance;
    if (!this.#alarms.has(id)) return false;
    this.#alarms.clear(id);
    this.#instances.set(id, instance);
    this.#running += 1;
    return true;
  }

  #wakeInTime(id: string): void {
    this.#wake(id, { isDue: true }).catch((error: unknown) => {
      const failure = describeFailure(error);
      this.#awaited.get(id)?.resolve({ kind: 'failed', failure });
    });
  }

  /** Brings back a workflow that was evicted, for its time has come or something came for it. */
  async #wake(id: string, { isDue = false } = {}): Promise<Instance | undefined> {
    // What it kept before it was evicted may still be on its way.
    await this.store?.settled();
    if (this.isClosed) return undefined;
    this.#alarms.clear(id);
    const running = this.#instances.get(id);
    if (running) return running;
    return this.#resume(id, { isDue });
  }

  ended(id: string): Promise<WorkflowResult> {
    const running = this.#instances.get(id);
    if (running) return this.#endOf(id, running);
    if (this.#alarms.has(id)) return this.#whenEnded(id);
    const past = this.store?.load(id);
    if (past?.ended) return Promise.resolve(resultOf(past.ended));
    if (!past) throw unknown(id);
    return this.#whenEnded(id);
  }

  /** Of a workflow that may be evicted before it ends, and come back as another instance. */
  #endOf(id: string, running: Instance): Promise<WorkflowResult> {
    return this.store ? Promise.race([running.ended, this.#whenEnded(id)]) : running.ended;
  }

  #whenEnded(id: string): Promise<WorkflowResult> {
    const awaited = this.#awaited.get(id) ?? Promise.withResolvers<WorkflowResult>();
    this.#awaited.set(id, awaited);
    return awaited.promise;
  }

  lane(name: string | undefined): Lane | undefined {
    return name === undefined ? undefined : this.#lanes.get(name);
  }

  rateLimit(provider: string | undefined): RateLimit | undefined {
    return provider === undefined ? undefined : this.#rateLimits.get(provider);
  }

  tell(fact: object, at: number): void {
    for (const listener of this.#listeners) listener(fact, at);
  }

  async signal(id: string, topic: string, value: unknown, { key }: { key: string }): Promise<void> {
    const { store } = this;
    const running = this.#instances.get(id);
    if (!store) return this.#instance(id).receive(topic, value, key);
    const sent = asJson(value, `The signal ${key} to ${id}`);
    if (running?.hasReceived(key)) return store.settled();
    if (!running) {
      await store.settled();
      const stored = store.load(id);
      if (!stored) throw unknown(id);
      if (stored.ended || stored.signals.some((signal) => signal.key === key)) return;
    }
    // The same that is under way is not offered again: one that is refused would take the other back with it.
    const name = JSON.stringify([id, key]);
    const other = this.#signalling.get(name);
    if (other) return other;
    const signalling = store.offer({ kind: 'signalled', id, key, topic, value: sent.text });
    this.#signalling.set(name, signalling);
    try {
      await signalling;
    } finally {
      this.#signalling.delete(name);
    }
    const receiver = this.#instances.get(id) ?? (await this.#wake(id));
    receiver?.receive(topic, sent.value, key); // one that was in the store has it already
  }

  async cancel(id: string, reason: string): Promise<void> {
    const { store } = this;
    if (!store) return this.#instance(id).cancel(reason);
    if (!this.#isKnown(id)) throw unknown(id);
    if (!this.#isCancelled(id, store)) await store.offer({ kind: 'cancelled', id, reason });
    const running = this.#instances.get(id) ?? (await this.#wake(id));
    running?.cancel(reason);
    // Those that are not in memory hear of it here; the store has told all that are below.
    for (const below of store.unfinished(id)) {
      const waiting = this.#instances.get(below.id) ?? (await this.#wake(below.id));
      waiting?.cancel(reason);
    }
  }

  /** Then it is not cancelled again: when that is refused, the first is taken back with it. */
  #isCancelled(id: string, store: WorkflowStore): boolean {
    if (typeof this.#instances.get(id)?.cancelReason === 'string') return true;
    // While it cannot be written, what it holds may be about to be taken back.
    return !store.stalled() && store.load(id)?.cancelReason !== undefined;
  }

  async result(id: string): Promise<WorkflowResult> {
    return this.ended(id);
  }

  async *list(): AsyncIterable<WorkflowView> {
    if (this.store) {
      await this.store.settled();
      yield* this.store.views();
      return;
    }
    for (const { id, workflow, status, cancelReason } of this.#instances.values()) {
      yield { id, workflow, status, cancelReason };
    }
  }

  subscribe<Fact extends object>(listener: (fact: Fact, at: number) => void): () => void {
    const hear = (fact: object, at: number) => listener(fact as Fact, at);
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  async *history<Fact, Recorded>(after = 0): AsyncIterable<HistoryEntry<Fact, Recorded>> {
    await this.store?.settled();
    for (const entry of this.store?.history(after) ?? []) {
      yield entry as HistoryEntry<Fact, Recorded>;
    }
  }

  async compact(id: string): Promise<void> {
    const { store } = this;
    if (!store) return;
    await store.settled();
    if (store.load(id)?.ended === undefined) {
      throw new EngineMisuseError(`Workflow ${id} has not ended, and cannot be compacted`);
    }
    await store.keep({ kind: 'compacted', id });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.deadlines.rest();
    this.#alarms.rest();
    for (const limit of this.#rateLimits.values()) limit.rest();
    for (const instance of this.#instances.values()) instance.dropTimers();
    await this.store?.close();
  }

  #find(name: string, version: string): Workflow {
    const named = this.#workflows.get(version);
    const workflow = named?.get(name);
    if (workflow) return workflow;
    if (version !== this.#version) {
      const versions = [...this.#workflows.keys()].join(', ') || 'none';
      throw new EngineMisuseError(
        `A workflow ${name} began with version ${version}; register that too, for as long as any is left. Registered: ${versions}`,
      );
    }
    const known = [...(named?.keys() ?? [])].join(', ') || 'none';
    throw new EngineMisuseError(`No workflow is named ${name}; registered: ${known}`);
  }

  #isKnown(id: string): boolean {
    // That it began may not be on the disk yet.
    return this.#instances.has(id) || this.#alarms.has(id) || this.store?.load(id) !== undefined;
  }

  #instance(id: string): Instance {
    const instance = this.#instances.get(id);
    if (!instance) throw unknown(id);
    return instance;
  }
}

const DEFAULT_VERSION = '1';

/** A workflow that returned what is no JSON has failed. */
function resultAsJson(id: string, result: WorkflowResult) {
  try {
    return asJson(result, `What ${id} returned`);
  } catch (error) {
    return asJson<WorkflowResult>({ kind: 'failed', failure: describeFailure(error) }, 'A failure');
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

function unknown(id: string): EngineMisuseError {
  return new EngineMisuseError(`No workflow has the id ${id}`);
}

function alreadyThere(id: string): EngineMisuseError {
  return new EngineMisuseError(`A workflow with id ${id} is there already`);
}
