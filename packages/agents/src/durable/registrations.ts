import type { Tool } from '@buddy/core';
import { EngineMisuseError } from '../errors.ts';
import type { Workflow } from './durable-context.ts';
import type { Registration } from './engine.ts';
import type { RateLimitOptions } from './rate-limit.ts';

const DEFAULT_VERSION = '1';

/** What an engine in this process can run, and the limits that it knows of. */
export class Registrations {
  /** What begins now begins with this. */
  version = DEFAULT_VERSION;
  readonly tools = new Map<string, Tool>();
  readonly lanes = new Map<string, number>();
  readonly providers = new Map<string, RateLimitOptions>();
  /** By version, then by name. */
  readonly #workflows = new Map<string, Map<string, Workflow>>();

  /** @throws {EngineMisuseError} When a tool has the name of another. */
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
    for (const [lane, width] of Object.entries(lanes)) this.lanes.set(lane, width);
    for (const [name, limit] of Object.entries(providers)) this.providers.set(name, limit);
  }

  /** Of which there are workflows. */
  versions(): ReadonlySet<string> {
    return new Set(
      [...this.#workflows].flatMap(([version, { size }]) => (size > 0 ? [version] : [])),
    );
  }

  workflowNames(): ReadonlySet<string> {
    return new Set([...this.#workflows.values()].flatMap((named) => [...named.keys()]));
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
}
