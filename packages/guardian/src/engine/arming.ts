import { kindsOf, type Needs } from '../playbook/context.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Resource } from '../resource/registry.ts';

/** Which resource fills each role, or which roles nobody fills. */
export type Arming =
  | { armed: true; roles: Readonly<Record<string, string>> }
  | { armed: false; missing: readonly string[] };

/**
 * Fills the roles of a playbook around the resource that is sick: it fills the first role of its kind itself; the others are
 * filled by its `links`, else by its one neighbour (what it depends on, what depends on it) of the kind.
 * @returns Undefined when the playbook is not for resources of this kind.
 */
export function armFor(
  { needs }: Playbook,
  resource: Resource,
  resources: ReadonlyMap<string, Resource>,
): Arming | undefined {
  const own = Object.entries(needs).find(([, need]) => isOneOf(need, resource))?.[0];
  if (own === undefined) return undefined;
  const roles: Record<string, string> = {};
  const missing: string[] = [];
  const neighbours = [...resources.values()].filter(
    ({ id, dependsOn }) => resource.dependsOn.includes(id) || dependsOn.includes(resource.id),
  );
  for (const [role, need] of Object.entries(needs)) {
    const linked = resources.get(resource.links[role] ?? '');
    const ofKind = neighbours.filter((other) => isOneOf(need, other));
    if (role === own) roles[role] = resource.id;
    else if (linked && isOneOf(need, linked)) roles[role] = linked.id;
    else if (ofKind.length === 1 && ofKind[0]) roles[role] = ofKind[0].id;
    else missing.push(role);
  }
  return missing.length === 0 ? { armed: true, roles } : { armed: false, missing };
}

function isOneOf(need: Needs[string], { adapter }: Resource): boolean {
  return kindsOf(need).includes(adapter.kind);
}
