import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type {
  Closing,
  Incident,
  Run,
  RunResult,
  StepEntry,
  StepState,
} from '../incident/incident.ts';
import type { Symptom } from '../incident/symptom.ts';
import type { Certificate, MaintenanceWindow, PlaybookTotals, StoredState } from './store.ts';

/** As it comes out of a table of `schema.ts`. */
export type Row = Record<string, SQLOutputValue>;

export function rowOfIncident(incident: Incident): Record<string, SQLInputValue> {
  return {
    id: incident.id,
    fingerprint: incident.fingerprint,
    resource: incident.resource,
    signal: incident.signal,
    status: incident.status,
    symptom: JSON.stringify(incident.symptom),
    opened_by: incident.openedBy,
    first_bad: incident.firstBad,
    detected: incident.detected,
    restored: incident.restored,
    closed_at: incident.closedAt,
    closed_as: incident.closedAs,
    cause_id: incident.causeId,
    retries: incident.retries,
    reason: incident.reason,
    rehearses: incident.rehearses,
  };
}

export function rowOfRun(run: Run): Record<string, SQLInputValue> {
  return {
    id: run.id,
    incident_id: run.incidentId,
    playbook: run.playbook,
    resource: run.resource,
    roles: JSON.stringify(run.roles),
    started_at: run.startedAt,
    ended_at: run.endedAt,
    result: run.result,
    reason: run.reason,
    interrupts: Number(run.interrupts),
    is_rehearsal: Number(run.isRehearsal),
  };
}

/*
 * What comes out is what went in: only `sqlite-store.ts` writes these tables, and their CHECKs and STRICT hold what
 * types cannot.
 */
/* oxlint-disable typescript/no-unsafe-type-assertion */
export function incidentOf(row: Row): Incident {
  return {
    id: String(row['id']),
    fingerprint: String(row['fingerprint']),
    resource: String(row['resource']),
    signal: String(row['signal']),
    status: row['status'] as Incident['status'],
    symptom: JSON.parse(String(row['symptom'])) as Symptom,
    openedBy: Number(row['opened_by']),
    firstBad: Number(row['first_bad']),
    detected: Number(row['detected']),
    restored: numberOrNull(row['restored']),
    closedAt: numberOrNull(row['closed_at']),
    closedAs: row['closed_as'] as Closing | null,
    causeId: textOrNull(row['cause_id']),
    retries: Number(row['retries']),
    reason: String(row['reason']),
    rehearses: textOrNull(row['rehearses']),
  };
}

export function runOf(row: Row): Run {
  return {
    id: String(row['id']),
    incidentId: String(row['incident_id']),
    playbook: String(row['playbook']),
    resource: String(row['resource']),
    roles: JSON.parse(String(row['roles'])) as Record<string, string>,
    startedAt: Number(row['started_at']),
    endedAt: numberOrNull(row['ended_at']),
    result: row['result'] as RunResult,
    reason: String(row['reason']),
    interrupts: row['interrupts'] === 1,
    isRehearsal: row['is_rehearsal'] === 1,
  };
}

export function stepOf(row: Row): StepEntry {
  return {
    runId: String(row['run_id']),
    index: Number(row['place']),
    step: String(row['step']),
    state: row['state'] as StepState,
    before: String(row['before']),
    at: Number(row['at']),
  };
}

export function certificateOf(row: Row): Certificate {
  return {
    playbook: String(row['playbook']),
    codeHash: String(row['code_hash']),
    resource: String(row['resource']),
    fault: String(row['fault']),
    at: Number(row['at']),
  };
}

export function windowOf(row: Row): MaintenanceWindow {
  return {
    id: String(row['id']),
    resources: JSON.parse(String(row['resources'])) as MaintenanceWindow['resources'],
    reason: String(row['reason']),
    from: Number(row['begins']),
    until: Number(row['ends']),
  };
}
/* oxlint-enable typescript/no-unsafe-type-assertion */

export function undecidedOf(row: Row): StoredState['undecided'][number] {
  return { seq: Number(row['seq']), incidentId: textOrNull(row['incident_id']) };
}

export function totalsOf(row: Row): PlaybookTotals {
  return {
    playbook: String(row['playbook']),
    resource: String(row['resource']),
    runs: Number(row['runs']),
    successes: Number(row['successes']),
    failures: Number(row['runs']) - Number(row['successes']),
    totalMs: Number(row['total_ms']),
    lastRunAt: Number(row['last_run_at']),
  };
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
