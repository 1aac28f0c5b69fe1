import { type Clock, describeFailure } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import { Alarms } from './alarms.ts';
import { Deadlines } from './deadlines.ts';
import type { ChildStart } from './durable-context.ts';
import type { WorkflowResult } from './engine.ts';
import { asJson } from './json-value.ts';
import { forever } from './timers.ts';
import { Instance, type InstanceHost, type Past } from './instance.ts';
import { InstanceTable } from './instance-table.ts';
import type { Registry } from './registry.ts';
import {
  fromJournal,
  restOf,
  resultOf,
  type Unfinished,
  type WorkflowStore,
} from './workflow-store.ts';

interface SchedulerPorts {
  clock: Clock;
  store: WorkflowStore | undefined;
  poisonAfter: number;
}

/** The workflows of an engine that are in memory, and those that left it for a wait: runs them, and brings them back. */
export class Scheduler implements InstanceHost {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly store: WorkflowStore | undefined;
  readonly deadlines: Deadlines;
  readonly poisonAfter: number;
  readonly #instances = new InstanceTable();
  /** Those that somebody waits for and that are not in memory. */
  readonly #awaited = new Map<string, PromiseWithResolvers<WorkflowResult>>();
  /** Of those that have left the memory. */
  readonly #alarms: Alarms;
  readonly #listeners = new Set<(fact: object, at: number) => void>();
  /** Those that a process before this one left, as long as they have not come back. */
  readonly #left = new Set<string>();
  #running = 0;
  isClosed = false;

  constructor(registry: Registry, { clock, store, poisonAfter }: SchedulerPorts) {
    this.registry = registry;
    this.clock = clock;
    this.store = store;
    this.poisonAfter = poisonAfter;
    this.deadlines = new Deadlines(clock);
    this.#alarms = new Alarms(clock, (id) => this.#wake(id, { isDue: true }));
  }

  inMemory(id: string): Instance | undefined {
    return this.#instances.get(id);
  }

  /** In memory, or outside for a wait. */
  has(id: string): boolean {
    return this.#instances.has(id) || this.#alarms.has(id);
  }

  instances(): Iterable<Instance> {
    return this.#instances.values();
  }

  /** Goes on with what a process before this one left. */
  recover(left: readonly Unfinished[]): void {
    for (const { id, parked } of left) {
      // What did nothing when the process ended did not end it, and need not come back before something comes for it.
      if (parked) this.#alarms.set(id, restOf(parked, this.clock.now()));
      else this.#left.add(id);
    }
    if (left.length > 0) this.registry.useUpRateLimits();
    // Those below others come back as their parents do again what they did, or were left by one that has ended.
    const roots = left.filter(
      ({ id, parentId }) => this.#left.has(id) && (parentId === null || !this.#left.has(parentId)),
    );
    for (const { id } of roots) this.#resume(id);
  }

  spawn({ id, workflow, input }: ChildStart, parent: Instance): Instance | undefined {
    const past = parent.isReplayed ? this.store?.load(id) : undefined;
    if (past?.parentId === parent.id) {
      if (past.ended || this.#alarms.has(id)) return undefined;
      return this.#instances.get(id) ?? this.#resume(id, { parent });
    }
    if (past || this.has(id)) throw alreadyThere(id);
    const { version } = this.registry;
    this.registry.find(workflow, version);
    if (!this.store) return this.run({ id, workflow, input }, parent);
    const { text, value } = asJson(input, `The input of ${id}`);
    const parentId = parent.id;
    void this.store.keep({ kind: 'begun', id, workflow, version, parentId, input: text });
    return this.run({ id, workflow, input: value }, parent);
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
    return this.run({ id, workflow, input: fromJournal(input) }, parent, past);
  }

  /** Runs a workflow until its first wait. */
  run(
    { id, workflow: name, input }: { id: string; workflow: string; input: unknown },
    parent?: Instance,
    past?: Past,
  ): Instance {
    const workflow = this.registry.find(name, past?.stored.version ?? this.registry.version);
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

  /** Tells a workflow what was kept for it: now, or when it is back. Whoever had it kept need not wait for that. */
  reach(id: string, tell: (instance: Instance) => void): void {
    const running = this.#instances.get(id);
    if (running) tell(running);
    else this.#wake(id, { tell });
  }

  /** Brings back a workflow that was evicted, for its time has come or something came for it. */
  #wake(id: string, { isDue = false, tell }: Waking): void {
    this.#bringBack(id, isDue).then(
      (instance) => instance && tell?.(instance),
      (error: unknown) => {
        const failure = describeFailure(error);
        this.#awaited.get(id)?.resolve({ kind: 'failed', failure });
      },
    );
  }

  async #bringBack(id: string, isDue: boolean): Promise<Instance | undefined> {
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
    if (!past) throw unknownWorkflow(id);
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

  subscribe(listener: (fact: object, at: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(fact: object, at: number): void {
    for (const listener of this.#listeners) listener(fact, at);
  }

  close(): void {
    this.isClosed = true;
    this.deadlines.rest();
    this.#alarms.rest();
    this.registry.rest();
    for (const instance of this.#instances.values()) instance.dropTimers();
  }
}

interface Waking {
  /** The time that it waited for has come. */
  isDue?: boolean;
  tell?: (instance: Instance) => void;
}

/** A workflow that returned what is no JSON has failed. */
function resultAsJson(id: string, result: WorkflowResult) {
  try {
    return asJson(result, `What ${id} returned`);
  } catch (error) {
    return asJson<WorkflowResult>({ kind: 'failed', failure: describeFailure(error) }, 'A failure');
  }
}

export function unknownWorkflow(id: string): EngineMisuseError {
  return new EngineMisuseError(`No workflow has the id ${id}`);
}

function alreadyThere(id: string): EngineMisuseError {
  return new EngineMisuseError(`A workflow with id ${id} is there already`);
}
