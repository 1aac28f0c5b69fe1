import { GuardianMisuseError } from '../errors.ts';
import type { Symptom } from '../incident/symptom.ts';
import type { Needs, PlaybookContext, RoleAdapters } from '../playbook/context.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import { type EffectPermit, guardAdapter } from '../resource/guarded-adapter.ts';
import type { Parts } from './parts.ts';

/** Which resource fills each role, by its id. */
export type Roles = Readonly<Record<string, string>>;

export interface ContextRequest {
  playbook: Playbook;
  roles: Roles;
  symptom: Symptom;
  signal: AbortSignal;
  permit: EffectPermit;
}

/** The adapters that fill the roles of a playbook, each letting through only what is permitted. */
export function contextFor(
  { resources, clock }: Parts,
  { playbook, roles, symptom, signal, permit }: ContextRequest,
): PlaybookContext<Needs> {
  const adapters = Object.keys(playbook.needs).map((role) => {
    const resource = resources.get(roles[role] ?? '');
    if (!resource) {
      throw new GuardianMisuseError(`Nothing fills the role "${role}" of ${playbook.id} any more.`);
    }
    return [role, guardAdapter(role, resource.adapter, permit)];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each role is filled by a resource of its kind
  const filled = Object.fromEntries(adapters) as RoleAdapters<Needs>;
  return { resources: filled, symptom, clock, signal };
}
