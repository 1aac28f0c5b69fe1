import type { Playbook } from '../playbook/define-playbook.ts';
import { isTriggered } from '../playbook/trigger.ts';
import type { Incident } from '../incident/incident.ts';
import type { Resource } from '../resource/registry.ts';
import { armFor } from './arming.ts';
import type { Parts } from './parts.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import type { Roles } from './playbook-context.ts';

export interface Candidate {
  playbook: Playbook;
  roles: Roles;
}

/** What may be tried on an incident, by priority, then the tamer, then what helped here more often; and what is not armed. */
export function candidatesFor(
  { parts, record }: { parts: Parts; record: PlaybookRecord },
  incident: Incident,
  resource: Resource,
): { candidates: Candidate[]; missing: string[] } {
  const missing: string[] = [];
  const candidates: Candidate[] = [];
  for (const playbook of parts.playbooks.values()) {
    if (incident.rehearses !== null && incident.rehearses !== playbook.id) continue;
    if (!isTriggered(playbook.triggers, incident.symptom)) continue;
    const arming = armFor(playbook, resource, parts.resources);
    if (arming?.armed === true) candidates.push({ playbook, roles: arming.roles });
    if (arming?.armed === false) missing.push(`${playbook.id} lacks ${arming.missing.join(', ')}`);
  }
  const success = ({ playbook }: Candidate) => record.successOn(playbook.id, resource.id);
  candidates.sort(
    (a, b) =>
      b.playbook.priority - a.playbook.priority ||
      a.playbook.tier - b.playbook.tier ||
      success(b) - success(a) ||
      a.playbook.id.localeCompare(b.playbook.id),
  );
  return { candidates, missing };
}
