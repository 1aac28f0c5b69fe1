import { z } from 'zod';
import { parseOrThrow } from '@buddy/core';
import { GuardianConfigError } from '../errors.ts';
import type { AnyAdapter } from './kinds.ts';

const Declaration = z.object({
  id: z.string().min(1).max(200),
  dependsOn: z.array(z.string()).default([]),
  links: z.record(z.string(), z.string()).default({}),
  group: z.string().min(1).optional(),
  probeIntervalMs: z.number().positive().optional(),
});

/** Something that can break, and the adapter through which it is looked at and mended. */
export interface ResourceInput {
  id: string;
  adapter: AnyAdapter;
  /** Resources that it cannot work without: they are looked at first, for theirs may be the cause. */
  dependsOn?: readonly string[];
  /** Which resource fills a role of a playbook, where the neighbours do not say it: `{ config: 'api-config' }`. */
  links?: Readonly<Record<string, string>>;
  /** Members of one group stand in for each other: the last healthy one is left alone. */
  group?: string;
  /** How often it is looked at, in ms. Default: the guardian's own. */
  probeIntervalMs?: number;
}

export interface Resource {
  readonly id: string;
  readonly adapter: AnyAdapter;
  readonly dependsOn: readonly string[];
  readonly links: Readonly<Record<string, string>>;
  readonly group: string | undefined;
  readonly probeIntervalMs: number | undefined;
  /** All that it depends on, however far; the roots first. */
  readonly ancestors: readonly string[];
  /** Whether others depend on it. */
  readonly isCause: boolean;
}

/**
 * The resources by their ids, with what follows from their dependencies.
 * @throws {GuardianConfigError} When an id is used twice, or a dependency or link is unknown or goes in a circle.
 */
export function readResources(inputs: readonly ResourceInput[]): ReadonlyMap<string, Resource> {
  const declared = new Map<string, ResourceInput>();
  for (const input of inputs) {
    if (declared.has(input.id)) throw new GuardianConfigError(`Two resources are "${input.id}".`);
    declared.set(input.id, input);
  }
  const depended = new Set(inputs.flatMap(({ dependsOn = [] }) => dependsOn));
  const resources = new Map<string, Resource>();
  for (const input of inputs) {
    const known = parseOrThrow(Declaration, input, `resource "${input.id}"`);
    for (const other of [...known.dependsOn, ...Object.values(known.links)]) {
      if (!declared.has(other)) {
        throw new GuardianConfigError(
          `Resource "${input.id}" names "${other}", which is not registered.`,
        );
      }
    }
    resources.set(input.id, {
      id: input.id,
      adapter: input.adapter,
      dependsOn: known.dependsOn,
      links: known.links,
      group: known.group,
      probeIntervalMs: known.probeIntervalMs,
      ancestors: ancestorsOf(input.id, declared),
      isCause: depended.has(input.id),
    });
  }
  return resources;
}

function ancestorsOf(id: string, declared: ReadonlyMap<string, ResourceInput>): string[] {
  const ordered = new Set<string>();
  const visit = (current: string, path: readonly string[]): void => {
    for (const parent of declared.get(current)?.dependsOn ?? []) {
      if (parent === id || path.includes(parent)) {
        throw new GuardianConfigError(
          `Resources depend on each other in a circle: ${[...path, parent].join(' -> ')}.`,
        );
      }
      if (ordered.has(parent)) continue;
      visit(parent, [...path, parent]);
      ordered.add(parent); // after its own parents: roots first
    }
  };
  visit(id, [id]);
  return [...ordered];
}
