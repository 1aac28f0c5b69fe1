import { type Clock, describeFailure, systemClock, type Tool } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import { Deadlines } from './deadlines.ts';
import type { Workflow } from './durable-context.ts';
import {
  type Engine,
  forgetfulStore,
  type JournalStore,
  type Registration,
  type WorkflowResult,
  type WorkflowView,
} from './engine.ts';
import { Instance, type InstanceHost } from './instance.ts';
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
  lanes = new Map(),
}: EnginePorts = {}): Engine {
  return new Scheduler(clock, store, lanes);
}

interface EnginePorts {
  clock?: Clock;
  store?: JournalStore;
  /** Lanes that are shared with other engines of this process; one that is there already keeps its concurrency. */
  lanes?: Map<string, Lane>;
}

class Scheduler implements Engine, InstanceHost {
  readonly clock: Clock;
  readonly store: JournalStore;
  readonly deadlines: Deadlines;
  readonly tools = new Map<string, Tool>();
  readonly #workflows = new Map<string, Workflow>();
  readonly #lanes: Map<string, Lane>;
  readonly #instances = new Map<string, Instance>();
  readonly #listeners = new Set<(fact: object) => void>();
  #running = 0;
  isClosed = false;

  constructor(clock: Clock, store: JournalStore, lanes: Map<string, Lane>) {
    this.clock = clock;
    this.store = store;
    this.#lanes = lanes;
    this.deadlines = new Deadlines(clock);
  }

  register({ workflows, tools, lanes }: Registration): void {
    for (const [name, workflow] of Object.entries(workflows)) this.#workflows.set(name, workflow);
    for (const tool of tools) {
      const known = this.tools.get(tool.name);
      if (known && known !== tool) throw new EngineMisuseError(`Two tools are named ${tool.name}`);
      this.tools.set(tool.name, tool);
    }
    for (const [name, concurrency] of Object.entries(lanes)) {
      if (!this.#lanes.has(name)) this.#lanes.set(name, new Lane(concurrency));
    }
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
    if (this.#instances.has(id))
      throw new EngineMisuseError(`A workflow with id ${id} is there already`);
    const instance = new Instance(this, id, name, parent);
    this.#instances.set(id, instance);
    this.#running += 1;
    // An async function, so that a workflow that throws at once has failed too.
    instance.ended = (async () => workflow(instance, input as never))().then(
      (value): WorkflowResult => instance.end({ kind: 'completed', value }),
      (error: unknown): WorkflowResult =>
        instance.end({ kind: 'failed', failure: describeFailure(error) }),
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

  subscribe<Fact extends object>(listener: (fact: Fact) => void): () => void {
    const hear = (fact: object) => listener(fact as Fact);
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.deadlines.rest();
    for (const instance of this.#instances.values()) instance.dropTimers();
  }

  instance(id: string): Instance {
    const instance = this.#instances.get(id);
    if (!instance) throw new EngineMisuseError(`No workflow has the id ${id}`);
    return instance;
  }
}
