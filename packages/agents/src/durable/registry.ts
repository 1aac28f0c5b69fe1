import type { Clock, Tool } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import type { Workflow } from './durable-context.ts';
import type { Registration } from './engine.ts';
import { Lane } from './lane.ts';
import { RateLimit } from './rate-limit.ts';

const DEFAULT_VERSION = '1';

/** What an engine in this process can run, and the lines in which calls wait for their turn. */
export class Registry {
  /** What begins now begins with this. */
  version = DEFAULT_VERSION;
  readonly tools = new Map<string, Tool>();
  readonly #clock: Clock;
  /** By version, then by name. */
  readonly #workflows = new Map<string, Map<string, Workflow>>();
  readonly #lanes: Map<string, Lane>;
  readonly #rateLimits = new Map<string, RateLimit>();

  /** @param lanes May be shared with other engines; one that is there already keeps its concurrency. */
  constructor(clock: Clock, lanes: Map<string, Lane>) {
    this.#clock = clock;
    this.#lanes = lanes;
  }

  add({ workflows, tools, lanes, providers = {}, version = DEFAULT_VERSION }: Registration): void {
    this.version = version;
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
      if (!this.#rateLimits.has(name))
        this.#rateLimits.set(name, new RateLimit(this.#clock, limit));
    }
  }

  /** @throws {EngineMisuseError} When there is none. */
  find(name: string, version: string): Workflow {
    const named = this.#workflows.get(version);
    const workflow = named?.get(name);
    if (workflow) return workflow;
    if (version !== this.version) {
      const versions = [...this.#workflows.keys()].join(', ') || 'none';
      throw new EngineMisuseError(
        `A workflow ${name} began with version ${version}; register that too, for as long as any is left. Registered: ${versions}`,
      );
    }
    const known = [...(named?.keys() ?? [])].join(', ') || 'none';
    throw new EngineMisuseError(`No workflow is named ${name}; registered: ${known}`);
  }

  lane(name: string | undefined): Lane | undefined {
    return name === undefined ? undefined : this.#lanes.get(name);
  }

  rateLimit(provider: string | undefined): RateLimit | undefined {
    return provider === undefined ? undefined : this.#rateLimits.get(provider);
  }

  /** As if every provider had been called as often as it allows: a process that is gone may have done that. */
  useUpRateLimits(): void {
    for (const limit of this.#rateLimits.values()) limit.useUp();
  }

  /** Stops timers; whoever waits, waits for ever. */
  rest(): void {
    for (const limit of this.#rateLimits.values()) limit.rest();
  }
}
