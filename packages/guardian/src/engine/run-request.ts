import type { Needs, PlaybookContext } from '../playbook/context.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { EffectPermit } from '../resource/guarded-adapter.ts';
import type { LiveIncident } from './incident-book.ts';
import type { Parts } from './parts.ts';
import { contextFor, type Roles } from './playbook-context.ts';

/** A playbook, and the incident that it is to heal. */
export interface RunRequest {
  live: LiveIncident;
  playbook: Playbook;
  roles: Roles;
  /** Aborted when the guardian stops. */
  signal: AbortSignal;
}

/** What the playbook gets to see of the incident, with adapters that let through only what is permitted. */
export function contextOf(
  parts: Parts,
  { live, playbook, roles, signal }: RunRequest,
  permit: EffectPermit,
): PlaybookContext<Needs> {
  const { symptom } = live.incident;
  return contextFor(parts, { playbook, roles, symptom, signal, permit });
}
