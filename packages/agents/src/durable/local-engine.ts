import { type Clock, systemClock } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import type { Engine, Registration, WorkflowResult, WorkflowView } from './engine.ts';
import type { Instance } from './instance.ts';
import { asJson } from './json-value.ts';
import type { Lane } from './lane.ts';
import { Registry } from './registry.ts';
import { Scheduler, unknownWorkflow } from './scheduler.ts';
import type { HistoryEntry, WorkflowStore } from './workflow-store.ts';

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
  const registry = new Registry(clock, lanes);
  return new LocalEngine(registry, store, new Scheduler(registry, { clock, store, poisonAfter }));
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

/** What is asked from outside: first the store is told, then those in memory. */
class LocalEngine implements Engine {
  readonly #registry: Registry;
  readonly #store: WorkflowStore | undefined;
  readonly #scheduler: Scheduler;
  /** Those that are being started, and are not on the disk yet. */
  readonly #starting = new Map<string, Promise<unknown>>();

  constructor(registry: Registry, store: WorkflowStore | undefined, scheduler: Scheduler) {
    this.#registry = registry;
    this.#store = store;
    this.#scheduler = scheduler;
  }

  get isDurable(): boolean {
    return this.#store !== undefined;
  }

  register(registration: Registration): void {
    this.#registry.add(registration);
  }

  async open(): Promise<{ resumed: number }> {
    if (!this.#store) return { resumed: 0 };
    const left = this.#store.unfinished();
    for (const { workflow, version } of left) this.#registry.find(workflow, version); // all or nothing
    this.#scheduler.recover(left);
    return { resumed: left.length };
  }

  async start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }> {
    this.#registry.find(workflow, this.#registry.version);
    if (this.#scheduler.has(id)) return { created: false };
    const store = this.#store;
    if (!store) {
      this.#scheduler.run({ id, workflow, input });
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
    // While nothing can be kept, what the store holds may be about to be taken back.
    if (!store.stalled() && store.load(id)) return { created: false };
    const { version } = this.#registry;
    await store.offer({ kind: 'begun', id, workflow, version, parentId: null, input: text });
    if (this.#scheduler.has(id)) return { created: false }; // a parent was faster
    this.#scheduler.run({ id, workflow, input: value });
    return { created: true };
  }

  async signal(id: string, topic: string, value: unknown, { key }: { key: string }): Promise<void> {
    const store = this.#store;
    const running = this.#scheduler.inMemory(id);
    if (!store) return this.#instance(id).receive(topic, value, key);
    const sent = asJson(value, `The signal ${key} to ${id}`);
    if (running?.hasReceived(key)) return;
    if (!running) {
      this.#refuseUnknown(id, store);
      if (store.load(id)?.ended) return;
    }
    await store.offer({ kind: 'signalled', id, key, topic, value: sent.text });
    // One that comes back has it from the store already.
    this.#scheduler.reach(id, (receiver) => receiver.receive(topic, sent.value, key));
  }

  async cancel(id: string, reason: string): Promise<void> {
    const store = this.#store;
    if (!store) return this.#instance(id).cancel(reason);
    this.#refuseUnknown(id, store);
    await store.offer({ kind: 'cancelled', id, reason });
    // Those that are not in memory hear of it here; the store has told all that are below.
    for (const one of [id, ...store.unfinished(id).map((below) => below.id)]) {
      this.#scheduler.reach(one, (running) => running.cancel(reason));
    }
  }

  #refuseUnknown(id: string, store: WorkflowStore): void {
    // That it began may not be on the disk yet.
    if (!this.#scheduler.has(id) && !store.load(id)) throw unknownWorkflow(id);
  }

  async result(id: string): Promise<WorkflowResult> {
    return this.#scheduler.ended(id);
  }

  async *list(): AsyncIterable<WorkflowView> {
    if (this.#store) {
      await this.#store.settled();
      yield* this.#store.views();
      return;
    }
    for (const { id, workflow, status, cancelReason } of this.#scheduler.instances()) {
      yield { id, workflow, status, cancelReason };
    }
  }

  subscribe<Fact extends object>(listener: (fact: Fact, at: number) => void): () => void {
    return this.#scheduler.subscribe((fact, at) => listener(fact as Fact, at));
  }

  async *history<Fact, Recorded>(after = 0): AsyncIterable<HistoryEntry<Fact, Recorded>> {
    await this.#store?.settled();
    for (const entry of this.#store?.history(after) ?? []) {
      yield entry as HistoryEntry<Fact, Recorded>;
    }
  }

  async compact(id: string): Promise<void> {
    const store = this.#store;
    if (!store) return;
    await store.settled();
    if (store.load(id)?.ended === undefined) {
      throw new EngineMisuseError(`Workflow ${id} has not ended, and cannot be compacted`);
    }
    await store.keep({ kind: 'compacted', id });
  }

  async close(): Promise<void> {
    this.#scheduler.close();
    await this.#store?.close();
  }

  #instance(id: string): Instance {
    const instance = this.#scheduler.inMemory(id);
    if (!instance) throw unknownWorkflow(id);
    return instance;
  }
}
